#include "support.h"

#include "http_response.h"

/* Feeds one line, at the end of a page; false where it ends the transfer. */
static bool line(fh_response *response, const char *text, size_t size) {
  char *edge = edge_copy(text, size);
  size_t taken = fh_response_on_header(edge, 1, size, response);
  edge_free(edge, size);
  return taken == size;
}

#define LINE(response, text) line(response, text, sizeof text - 1)

static bool body(fh_response *response, const char *text) {
  size_t size = strlen(text);
  char *edge = edge_copy(text, size);
  size_t taken = fh_response_on_body(edge, 1, size, response);
  edge_free(edge, size);
  return taken == size;
}

static void expect(fh_response *response, const char *const *pairs) {
  size_t at = 0;
  fh_text name, value;
  while (fh_response_header(response, &at, &name, &value)) {
    assert_non_null(*pairs);
    assert_int_equal(name.size, strlen(pairs[0]));
    assert_memory_equal(name.data, pairs[0], name.size);
    assert_int_equal(value.size, strlen(pairs[1]));
    assert_memory_equal(value.data, pairs[1], value.size);
    pairs += 2;
  }
  assert_null(*pairs);
}

static void keeps_the_headers_of_the_last_head(void **state) {
  (void)state;
  fh_response response;
  fh_response_init(&response, 100);
  assert_true(LINE(&response, "HTTP/1.1 103 Early Hints\r\n"));
  assert_true(LINE(&response, "Link: </a>\r\n"));
  assert_true(LINE(&response, "\r\n"));
  assert_true(LINE(&response, "HTTP/1.1 200 OK\r\n"));
  assert_true(LINE(&response, "X-A:  b \t\r\n"));
  assert_true(LINE(&response, " c\r\n"));
  assert_true(LINE(&response, "x-e:\r\n"));
  assert_int_equal(response.place, FH_IN_HEAD);
  assert_true(LINE(&response, "\r\n"));
  assert_int_equal(response.place, FH_AFTER_HEAD);
  assert_true(body(&response, "ok"));
  assert_true(LINE(&response, "X-Trailer: 1\r\n"));
  expect(&response, (const char *[]){"x-a", "b c", "x-e", "", NULL});
  fh_response_free(&response);
  fh_response_free(&response);
}

static void caps_the_body(void **state) {
  (void)state;
  fh_response response;
  fh_response_init(&response, 3);
  assert_true(body(&response, "abc"));
  assert_false(response.too_large);
  assert_false(body(&response, "d"));
  assert_true(response.too_large);
  fh_response_free(&response);
}

static void caps_the_lines_and_the_bytes_of_heads(void **state) {
  (void)state;
  fh_response response;
  fh_response_init(&response, 0);
  for (int i = 0; i < FH_MAX_RESPONSE_LINES / 2; i++) {
    assert_true(LINE(&response, "HTTP/1.1 100 Continue\r\n"));
    assert_true(LINE(&response, "\r\n"));
  }
  assert_false(LINE(&response, "HTTP/1.1 100 Continue\r\n"));
  assert_true(response.too_large);
  fh_response_free(&response);

  static char large[FH_MAX_RESPONSE_HEAD + 1];
  fh_response_init(&response, 0);
  bool taken = true;
  size_t heads = 0;
  memset(large, 'a', sizeof large);
  memcpy(large, "X: ", 3);
  for (; taken && heads < 10; heads++)
    taken = LINE(&response, "HTTP/1.1 103 Early Hints\r\n") &&
            line(&response, large, FH_MAX_RESPONSE_HEAD - 10) &&
            LINE(&response, "\r\n");
  assert_int_equal(4, heads);
  assert_true(response.too_large);
  fh_response_free(&response);

  memset(large, 'a', sizeof large);
  memcpy(large, "X: ", 3);
  fh_response_init(&response, 0);
  assert_true(LINE(&response, "HTTP/1.1 200 OK\r\n"));
  assert_false(line(&response, large, sizeof large));
  assert_true(response.too_large);
  fh_response_free(&response);
}

/* Feeds a head; true where it is refused as malformed. */
static bool is_malformed(const char *const *lines) {
  fh_response response;
  fh_response_init(&response, 0);
  bool taken = LINE(&response, "HTTP/1.1 200 OK\r\n");
  for (; taken && *lines; lines++)
    taken = line(&response, *lines, strlen(*lines));
  taken = taken && LINE(&response, "\r\n");
  assert_int_equal(taken, !response.malformed);
  fh_response_free(&response);
  return !taken;
}

static void refuses_heads_that_could_end_anywhere(void **state) {
  (void)state;
  static const char *const good[][3] = {
      {"Content-Length: 5\r\n", "content-length:5\r\n"},
      {"Content-Length: 00 \r\n"},
      {"Transfer-Encoding: CHUNKED \r\n", "X: a\n"},
      {"X-Content-Length: 5\r\n", "Content-Length: 6\r\n"},
  };
  static const char *const bad[][3] = {
      {"Content-Length: 5\r\n", "Content-Length: 6\r\n"},
      {"Content-Length: 5\r\n", "Content-Length: 50\r\n"},
      {"Content-Length: 50\r\n", "Content-Length: 5\r\n"},
      {"Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"},
      {"Transfer-Encoding: chunked\r\n", "CONTENT-LENGTH: 5\r\n"},
      {"Content-Length: 2x\r\n"},
      {"Content-Length: 0x2\r\n"},
      {"Content-Length: +2\r\n"},
      {"Content-Length: 2, 2\r\n"},
      {"Content-Length:\r\n"},
      {"Content-Length: 2\r\n", " 0\r\n"},
      {"Content-Length:\r\n", "\t2\r\n"},
      {"Transfer-Encoding: gzip\r\n", "Transfer-Encoding: chunked\r\n"},
      {"Transfer-Encoding: gzip, chunked\r\n"},
      {"Transfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\n"},
      {"Transfer-Encoding:\r\n", " chunked\r\n"},
      {"Transfer-Encoding: chunked\r\n", " \n"},
      {"Transfer-Encoding: identity\r\n"},
      {"Transfer-Encoding:\r\n"},
      {" X: a\r\n"},
      {"not a header\r\n"},
      {": no name\r\n"},
      {"no token: x\r\n"},
      {"Content-Length : 5\r\n"},
      {"X: a\rb\r\n"},
      {"X: a\r\r\n"},
      {"\rX: a\r\n"},
  };
  for (size_t i = 0; i < sizeof good / sizeof *good; i++)
    assert_false(is_malformed(good[i]));
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_true(is_malformed(bad[i]));
}

/* True where a head may begin with the line. */
static bool begins(bool http1_only, const char *status_line) {
  fh_response response;
  fh_response_init(&response, 0);
  response.http1_only = http1_only;
  bool taken = line(&response, status_line, strlen(status_line));
  assert_int_equal(taken, !response.malformed);
  fh_response_free(&response);
  return taken;
}

static void knows_status_lines(void **state) {
  (void)state;
  static const char *const good[] = {"HTTP/1.1 200 OK\r\n", "HTTP/1.0 999\r\n",
                                     "HTTP/1.1 404 \n",
                                     "HTTP/1.1 100 A B C\r\n"};
  static const char *const bad[] = {
      "HTTP/3.0 200 OK\r\n",  "HTTP/3 200\r\n",       "HTTP/2.0 200\r\n",
      "HTTP/1.2 200 OK\r\n",  "HTTP/1.1 1000 OK\r\n", "HTTP/1.1 099 OK\r\n",
      "HTTP/1.1 -99 OK\r\n",  "HTTP/1.1 20 OK\r\n",   "HTTP/1.1 2x0 OK\r\n",
      "HTTP/1.1  200 OK\r\n", "HTTP/1.1\t200 OK\r\n", "HTTP/1.1 200OK\r\n",
      " HTTP/1.1 200 OK\r\n", "http/1.1 200 OK\r\n",  "HTTP/1.1\r\n",
      "HTTP 200 OK\r\n",      "ICY 200 OK\r\n",       "\r\n"};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++)
    assert_true(begins(true, good[i]));
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_false(begins(false, bad[i]));
  assert_true(begins(false, "HTTP/2 200 \r\n"));
  assert_false(begins(true, "HTTP/2 200 \r\n"));
}

static void joins_folded_lines(void **state) {
  (void)state;
  fh_response response;
  fh_response_init(&response, 0);
  assert_true(LINE(&response, "HTTP/1.1 200 OK\r\n"));
  assert_true(LINE(&response, "A: b \r\n"));
  assert_true(LINE(&response, " \r\n"));
  assert_true(LINE(&response, "\t c\r\n"));
  assert_true(LINE(&response, "D:\r\n"));
  assert_true(LINE(&response, " e\r\n"));
  assert_true(LINE(&response, "\r\n"));
  expect(&response, (const char *[]){"a", "b c", "d", "e", NULL});
  fh_response_free(&response);
}

static void takes_trailers_for_no_head(void **state) {
  (void)state;
  fh_response response;
  fh_response_init(&response, 0);
  assert_true(LINE(&response, "HTTP/1.1 200 OK\r\n"));
  assert_true(LINE(&response, "\r\n"));
  assert_true(LINE(&response, "HTTP/1.1 500 Oops: 1\r\n"));
  assert_int_equal(200, response.status);
  assert_int_equal(FH_AFTER_HEAD, response.place);
  fh_response_free(&response);
}

static void refuses_another_protocol(void **state) {
  (void)state;
  fh_response response;
  fh_response_init(&response, 0);
  assert_true(LINE(&response, "HTTP/1.1 101 Switching Protocols\r\n"));
  assert_true(LINE(&response, "Upgrade: h2c\r\n"));
  assert_false(LINE(&response, "\r\n"));
  assert_non_null(response.malformed);
  fh_response_free(&response);
}

static void refuses_chunks_of_http_1_0(void **state) {
  (void)state;
  fh_response response;
  fh_response_init(&response, 0);
  assert_true(LINE(&response, "HTTP/1.0 200 OK\r\n"));
  assert_true(LINE(&response, "Transfer-Encoding: chunked\r\n"));
  assert_false(LINE(&response, "\r\n"));
  assert_non_null(response.malformed);
  fh_response_free(&response);
}

static void refuses_a_nul_in_a_head(void **state) {
  (void)state;
  fh_response response;
  fh_response_init(&response, 0);
  assert_true(LINE(&response, "HTTP/1.1 200 OK\r\n"));
  assert_false(LINE(&response, "X: a\0b\r\n"));
  assert_true(response.malformed);
  fh_response_free(&response);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(keeps_the_headers_of_the_last_head),
      cmocka_unit_test(caps_the_body),
      cmocka_unit_test(caps_the_lines_and_the_bytes_of_heads),
      cmocka_unit_test(refuses_heads_that_could_end_anywhere),
      cmocka_unit_test(knows_status_lines),
      cmocka_unit_test(joins_folded_lines),
      cmocka_unit_test(takes_trailers_for_no_head),
      cmocka_unit_test(refuses_another_protocol),
      cmocka_unit_test(refuses_chunks_of_http_1_0),
      cmocka_unit_test(refuses_a_nul_in_a_head),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
