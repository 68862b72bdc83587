#include "support.h"

#include <dlfcn.h>

#include "http_transfer.h"

/* --- the version of libcurl, which can be another ---------------------------
 */

static unsigned pretended; /* 0: the real one */

__attribute__((visibility("default"))) curl_version_info_data *
curl_version_info(CURLversion age) {
  static curl_version_info_data info;
  curl_version_info_data *(*real)(CURLversion);
  *(void **)&real = dlsym(RTLD_NEXT, "curl_version_info");
  info = *real(age);
  if (pretended)
    info.version_num = pretended;
  return &info;
}

static fh_text text(const char *s) {
  return (fh_text){s, s ? strlen(s) : 0};
}

static fh_request request(const char *method, const char *url) {
  return (fh_request){
      .method = text(method), .url = text(url), .max_response = 10};
}

/* Prepares a request; NULL where it was taken, else the kind of the refusal.
 */
static const char *refused(const fh_request *what) {
  fh_transfer transfer = {0};
  fh_refusal refusal = {0};
  fh_origin last = {0};
  CURL *easy = fh_easy_open();
  bool taken = fh_transfer_prepare(&transfer, easy, what, &last, &refusal);
  if (taken)
    fh_transfer_abort(&transfer, "cancelled", "done");
  assert_null(transfer.easy);
  fh_transfer_release(&transfer);
  fh_transfer_release(&transfer);
  assert_null(transfer.outgoing);
  curl_easy_cleanup(easy);
  fh_origin_free(&last);
  if (!taken)
    assert_non_null(refusal.message);
  return taken ? NULL : refusal.kind;
}

static void takes_what_http_allows(void **state) {
  (void)state;
  static const char *const methods[] = {"GET",    "HEAD",    "POST",    "PUT",
                                        "DELETE", "OPTIONS", "M-SEARCH"};
  for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
    fh_request plain = request(methods[i], "https://h.example/");
    assert_null(refused(&plain));
  }
  fh_request full = request("POST", "http://h.example/");
  fh_header headers[] = {{text("A"), text("b")},
                         {text("Empty"), text("")},
                         {text("Content-Type"), text("c")}};
  fh_secret secret;
  assert_int_equal(FH_SECRET_OK, fh_secret_set(&secret, "x", 1));
  full.headers = headers;
  full.header_count = 3;
  full.authorization = &secret;
  full.body = (fh_text){"a\0b", 3};
  full.timeout = 1e12;
  full.connect_timeout = 0.0001;
  full.stall_timeout = 5;
  full.proxy = "http://proxy.example:3128";
  full.ca_file = "/etc/hosts";
  assert_null(refused(&full));
  fh_secret_free(&secret);
}

static void refuses_what_may_not_be_sent(void **state) {
  (void)state;
  fh_request method = request("", "http://h/");
  fh_request url = request("GET", "ftp://h/");
  fh_request host = request("GET", "http://[1:2]/");
  assert_string_equal("argument", refused(&method));
  assert_string_equal("argument", refused(&url));
  assert_string_equal("argument", refused(&host));
}

/* Ends a request that was sent with the code, at that place of its answer. */
static void expect_kind(const char *kind, unsigned version, int code,
                        int place, bool encoded) {
  fh_transfer transfer = {0};
  fh_refusal refusal = {0};
  fh_origin last = {0};
  fh_request plain = request("GET", "http://h.example/");
  pretended = version;
  fh_transfer_init();
  CURL *easy = fh_easy_open();
  assert_true(fh_transfer_prepare(&transfer, easy, &plain, &last, &refusal));
  transfer.attempt.prepared = true;
  transfer.response.place = place;
  transfer.response.encoded = encoded;
  fh_transfer_finish(&transfer, (CURLcode)code);
  assert_string_equal(kind, transfer.kind);
  assert_non_null(transfer.message);
  fh_transfer_release(&transfer);
  curl_easy_cleanup(easy);
  fh_origin_free(&last);
  pretended = 0;
  fh_transfer_init();
}

enum { LAST_7 = 0x075801, LAST_8_5 = 0x080500, FIRST_8_6 = 0x080600 };

static void knows_a_header_line_that_is_too_large(void **state) {
  (void)state;
  enum { TOO_LARGE = 100, NO_MEMORY = CURLE_OUT_OF_MEMORY };
  for (int place = FH_BEFORE_HEAD; place < FH_AFTER_HEAD; place++) {
    expect_kind("too_large", LAST_7, NO_MEMORY, place, false);
    expect_kind("too_large", LAST_8_5, NO_MEMORY, place, false);
    expect_kind("reset", FIRST_8_6, NO_MEMORY, place, false);
    expect_kind("too_large", FIRST_8_6, TOO_LARGE, place, false);
  }
  expect_kind("reset", LAST_7, NO_MEMORY, FH_AFTER_HEAD, false);
}

static void knows_a_chunk_that_cannot_be_read(void **state) {
  (void)state;
  expect_kind("protocol", LAST_7, CURLE_RECV_ERROR, FH_AFTER_HEAD, true);
  expect_kind("protocol", FIRST_8_6, CURLE_RECV_ERROR, FH_AFTER_HEAD, true);
  expect_kind("protocol", FIRST_8_6, 100, FH_AFTER_HEAD, true);
  expect_kind("reset", FIRST_8_6, CURLE_RECV_ERROR, FH_IN_HEAD, true);
  expect_kind("reset", FIRST_8_6, CURLE_RECV_ERROR, FH_AFTER_HEAD, false);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(takes_what_http_allows),
      cmocka_unit_test(refuses_what_may_not_be_sent),
      cmocka_unit_test(knows_a_header_line_that_is_too_large),
      cmocka_unit_test(knows_a_chunk_that_cannot_be_read),
  };
  curl_global_init(CURL_GLOBAL_DEFAULT);
  fh_transfer_init();
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  curl_global_cleanup();
  return failed;
}
