#include "support.h"

#include <malloc.h>

#include "http_request.h"

static fh_text text(const char *s) {
  return (fh_text){s, s ? strlen(s) : 0};
}

static fh_request request(const char *method, const char *url) {
  return (fh_request){.method = text(method), .url = text(url)};
}

static void lays_out_what_is_sent(void **state) {
  (void)state;
  static const char *const lines[] = {"A: b",
                                      "Empty;",
                                      "Authorization: x",
                                      "Accept-Encoding: identity",
                                      "Content-Type:",
                                      "Expect:"};
  fh_header headers[] = {{text("A"), text(" b ")}, {text("Empty"), text("")}};
  fh_secret secret;
  assert_int_equal(FH_SECRET_OK, fh_secret_set(&secret, "x", 1));
  fh_request post = request("POST", "http://h/");
  post.headers = headers;
  post.header_count = 2;
  post.authorization = &secret;
  post.body = (fh_text){"a\0b", 3};
  assert_null(fh_request_check(&post));
  fh_outgoing *outgoing = fh_outgoing_new(&post);
  assert_non_null(outgoing);
  const struct curl_slist *node = outgoing->nodes;
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++, node = node->next)
    assert_string_equal(lines[i], node->data);
  assert_null(node);
  assert_memory_equal("a\0b", outgoing->body, 3);
  assert_true(outgoing->body + 3 <=
              (char *)outgoing + malloc_usable_size(outgoing));
  fh_outgoing_free(outgoing);
  fh_outgoing_free(NULL);
  fh_secret_free(&secret);
}

static void asks_for_no_encoding_unless_told(void **state) {
  (void)state;
  fh_header headers[] = {{text("accept-ENCODING"), text("gzip")},
                         {text("content-TYPE"), text("a/b")}};
  fh_request get = request("GET", "http://h/");
  get.headers = headers;
  get.header_count = 2;
  assert_true(fh_request_has_header(&get, "accept-encoding"));
  assert_false(fh_request_has_header(&get, "accept"));
  assert_true(fh_request_is(&get, "GET"));
  assert_false(fh_request_is(&get, "get"));
  fh_outgoing *outgoing = fh_outgoing_new(&get);
  assert_string_equal("accept-ENCODING: gzip", outgoing->nodes[0].data);
  assert_string_equal("content-TYPE: a/b", outgoing->nodes[1].data);
  assert_null(outgoing->nodes[1].next);
  fh_outgoing_free(outgoing);
}

static void tells_libcurl_what_not_to_add(void **state) {
  (void)state;
  static const struct {
    const char *method, *body, *lines[4];
  } rows[] = {
      {"GET", NULL, {"Accept-Encoding: identity"}},
      {"PUT", NULL, {"Accept-Encoding: identity"}},
      {"GET", "", {"Accept-Encoding: identity", "Content-Type:", "Expect:"}},
      {"PUT", "a", {"Accept-Encoding: identity", "Content-Type:", "Expect:"}},
      {"POST",
       NULL,
       {"Accept-Encoding: identity", "Content-Type:", "Expect:"}},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    fh_request made = request(rows[i].method, "http://h/");
    made.body = text(rows[i].body);
    fh_outgoing *outgoing = fh_outgoing_new(&made);
    const struct curl_slist *node = outgoing->nodes;
    for (size_t j = 0; rows[i].lines[j]; j++, node = node->next)
      assert_string_equal(rows[i].lines[j], node->data);
    assert_null(node);
    fh_outgoing_free(outgoing);
  }
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
    fh_request bad = request(methods[i], "http://h/");
    assert_non_null(fh_request_check(&bad));
  }
  fh_request nul = request("GET", "http://h/");
  nul.method = (fh_text){"GET\0X", 5};
  assert_non_null(fh_request_check(&nul));
  fh_request head = request("HEAD", "http://h/");
  head.body = text("x");
  assert_non_null(fh_request_check(&head));
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
    fh_request bad = request("GET", "http://h/");
    bad.headers = &header;
    bad.header_count = 1;
    if (!fh_request_check(&bad))
      fail_msg("header %zu was taken", i);
    edge_free(name, rows[i].name_size);
    edge_free(value, rows[i].value_size);
  }
}

static void refuses_more_headers_than_fit(void **state) {
  (void)state;
  static fh_header headers[FH_MAX_HEADERS + 1];
  for (size_t i = 0; i <= FH_MAX_HEADERS; i++)
    headers[i] = (fh_header){text("A"), text("b")};
  fh_request many = request("GET", "http://h/");
  many.headers = headers;
  many.header_count = FH_MAX_HEADERS;
  assert_null(fh_request_check(&many));
  many.header_count++;
  assert_non_null(fh_request_check(&many));

  static char large[FH_MAX_HEADER_BYTES];
  memset(large, 'a', sizeof large);
  headers[0].value = (fh_text){large, FH_MAX_HEADER_BYTES - 1};
  many.header_count = 1;
  assert_null(fh_request_check(&many));
  headers[0].value.size++;
  assert_non_null(fh_request_check(&many));
}

static void refuses_authorizations_that_clash_or_split(void **state) {
  (void)state;
  fh_header header = {text("authorization"), text("x")};
  fh_secret secret;
  fh_request bad = request("GET", "http://h/");
  assert_int_equal(FH_SECRET_OK, fh_secret_set(&secret, "x", 1));
  bad.authorization = &secret;
  assert_null(fh_request_check(&bad));
  bad.headers = &header;
  bad.header_count = 1;
  assert_non_null(fh_request_check(&bad));
  fh_secret_free(&secret);
  bad.header_count = 0;
  assert_int_equal(FH_SECRET_OK, fh_secret_set(&secret, "x\ny: z", 6));
  assert_non_null(fh_request_check(&bad));
  fh_secret_free(&secret);
}

static void refuses_urls_that_are_none(void **state) {
  (void)state;
  static const char *const urls[] = {"", "h", "ftp://h/", "http://u:p@h/",
                                     "http://h/\n"};
  for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
    fh_request bad = request("GET", urls[i]);
    assert_non_null(fh_request_check(&bad));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lays_out_what_is_sent),
      cmocka_unit_test(asks_for_no_encoding_unless_told),
      cmocka_unit_test(tells_libcurl_what_not_to_add),
      cmocka_unit_test(refuses_methods_that_are_none),
      cmocka_unit_test(refuses_headers_that_would_break_out),
      cmocka_unit_test(refuses_more_headers_than_fit),
      cmocka_unit_test(refuses_authorizations_that_clash_or_split),
      cmocka_unit_test(refuses_urls_that_are_none),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
