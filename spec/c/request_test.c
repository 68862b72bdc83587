#include "support.h"

#include "request.h"

static fh_text text(const char *s) {
  return (fh_text){s, s ? strlen(s) : 0};
}

static fh_call call(const char *method, const char *url) {
  return (fh_call){
      .method = text(method), .url = text(url), .max_response = 10};
}

/* Prepares a request; NULL where it was taken, else the kind of the refusal.
 */
static const char *refused(const fh_call *what) {
  fh_request request = {0};
  fh_refusal refusal = {0};
  CURL *easy = fh_easy_open();
  bool taken = fh_request_prepare(&request, easy, what, &refusal);
  if (taken)
    fh_request_abort(&request, "cancelled", "done");
  assert_null(request.easy);
  fh_request_release(&request);
  fh_request_release(&request);
  assert_null(request.outgoing);
  curl_easy_cleanup(easy);
  if (!taken)
    assert_non_null(refusal.message);
  return taken ? NULL : refusal.kind;
}

static void takes_what_http_allows(void **state) {
  (void)state;
  static const char *const methods[] = {"GET",    "HEAD",    "POST",    "PUT",
                                        "DELETE", "OPTIONS", "M-SEARCH"};
  for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
    fh_call plain = call(methods[i], "https://h.example/");
    assert_null(refused(&plain));
  }
  fh_call full = call("POST", "http://h.example/");
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

static void refuses_methods_that_are_none(void **state) {
  (void)state;
  static const char *const methods[] = {
      "",
      "GET ",
      " GET",
      "GE\tT",
      "GET\r\nX: y",
      "CONNECT",
      "TRACE",
      "G(T",
      "G\x80T",
      "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJ"};
  for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
    fh_call bad = call(methods[i], "http://h/");
    assert_string_equal("argument", refused(&bad));
  }
  fh_call nul = call("GET", "http://h/");
  nul.method = (fh_text){"GET\0X", 5};
  assert_string_equal("argument", refused(&nul));
  fh_call head = call("HEAD", "http://h/");
  head.body = text("x");
  assert_string_equal("argument", refused(&head));
}

static void refuses_headers_that_would_break_out(void **state) {
  (void)state;
  static const struct {
    const char *name;
    size_t name_size;
    const char *value;
    size_t value_size;
  } rows[] = {
      {"", 0, "b", 1},
      {"A ", 2, "b", 1},
      {"A:", 2, "b", 1},
      {"A B", 3, "c", 1},
      {"A\0", 2, "b", 1},
      {"\r\nA", 3, "b", 1},
      {"A", 1, "b\r", 2},
      {"A", 1, "b\nC: d", 6},
      {"A", 1, "b\0c", 3},
      {"A", 1, "\x7f", 1},
      {"A", 1, "\t", 1},
      {"Content-Length", 14, "5", 1},
      {"CONTENT-LENGTH", 14, "", 0},
      {"Transfer-Encoding", 17, "chunked", 7},
      {"Connection", 10, "close", 5},
      {"Upgrade", 7, "h2c", 3},
      {"TE", 2, "trailers", 8},
      {"Expect", 6, "100-continue", 12},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char *name = edge_copy(rows[i].name, rows[i].name_size);
    char *value = edge_copy(rows[i].value, rows[i].value_size);
    fh_header header = {{name, rows[i].name_size},
                        {value, rows[i].value_size}};
    fh_call bad = call("GET", "http://h/");
    bad.headers = &header;
    bad.header_count = 1;
    const char *kind = refused(&bad);
    if (!kind)
      fail_msg("header %zu was taken", i);
    assert_string_equal("argument", kind);
    edge_free(name, rows[i].name_size);
    edge_free(value, rows[i].value_size);
  }
}

static void refuses_more_headers_than_fit(void **state) {
  (void)state;
  static fh_header headers[FH_MAX_HEADERS + 1];
  for (size_t i = 0; i <= FH_MAX_HEADERS; i++)
    headers[i] = (fh_header){text("A"), text("b")};
  fh_call many = call("GET", "http://h/");
  many.headers = headers;
  many.header_count = FH_MAX_HEADERS;
  assert_null(refused(&many));
  many.header_count++;
  assert_string_equal("argument", refused(&many));

  static char large[FH_MAX_HEADER_BYTES];
  memset(large, 'a', sizeof large);
  headers[0].value = (fh_text){large, FH_MAX_HEADER_BYTES - 1};
  many.header_count = 1;
  assert_null(refused(&many));
  headers[0].value.size++;
  assert_string_equal("argument", refused(&many));
}

static void refuses_authorizations_that_clash_or_split(void **state) {
  (void)state;
  fh_header header = {text("authorization"), text("x")};
  fh_secret secret;
  fh_call bad = call("GET", "http://h/");
  assert_int_equal(FH_SECRET_OK, fh_secret_set(&secret, "x", 1));
  bad.authorization = &secret;
  assert_null(refused(&bad));
  bad.headers = &header;
  bad.header_count = 1;
  assert_string_equal("argument", refused(&bad));
  fh_secret_free(&secret);
  bad.header_count = 0;
  assert_int_equal(FH_SECRET_OK, fh_secret_set(&secret, "x\ny: z", 6));
  assert_string_equal("argument", refused(&bad));
  fh_secret_free(&secret);
}

static void refuses_urls_that_are_none(void **state) {
  (void)state;
  static const char *const urls[] = {"", "h", "ftp://h/", "http://u:p@h/",
                                     "http://h/\n"};
  for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
    fh_call bad = call("GET", urls[i]);
    assert_string_equal("argument", refused(&bad));
  }
}

int main(void) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  fh_request_init();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(takes_what_http_allows),
      cmocka_unit_test(refuses_methods_that_are_none),
      cmocka_unit_test(refuses_headers_that_would_break_out),
      cmocka_unit_test(refuses_more_headers_than_fit),
      cmocka_unit_test(refuses_authorizations_that_clash_or_split),
      cmocka_unit_test(refuses_urls_that_are_none),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  curl_global_cleanup();
  return failed;
}
