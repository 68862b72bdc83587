#include "support.h"

#include "server_head.h"

static const fh_head_limits limits = {
    .line = 100, .field = 40, .headers = 170, .count = 5, .body = 1000};

/* A verdict over headers given as "name:value" lines, each at a page's end. */
static unsigned verdict(const char *const *lines, char minor) {
  fh_head head = {0};
  for (; *lines; lines++) {
    size_t name = strcspn(*lines, ":");
    size_t value = strlen(*lines) - name - 1;
    char *n = edge_copy(*lines, name);
    char *v = edge_copy(*lines + name + 1, value);
    fh_head_field(&head, &limits, n, name, v, value);
    edge_free(n, name);
    edge_free(v, value);
  }
  return fh_head_verdict(&head, &limits, minor);
}

#define VERDICT(minor, ...)                                                   \
  verdict((const char *const[]){__VA_ARGS__, NULL}, minor)
#define WITH_HOST(...) VERDICT('1', "Host:h.example", __VA_ARGS__)

static void takes_ordinary_heads(void **state) {
  (void)state;
  assert_int_equal(0, WITH_HOST("Content-Length:5"));
  assert_int_equal(0, WITH_HOST("content-length:005"));
  assert_int_equal(0, WITH_HOST("Transfer-Encoding:Chunked"));
  assert_int_equal(0, WITH_HOST("X:\xff\xfe"));
  assert_int_equal(0, WITH_HOST("X:"));
  assert_int_equal(0, VERDICT('1', "host:[::1]:8080"));
  assert_int_equal(0, VERDICT('0', "X:y"));
}

static void refuses_two_ways_to_find_the_end(void **state) {
  (void)state;
  assert_int_equal(400, WITH_HOST("Content-Length:5", "Content-Length:5"));
  assert_int_equal(400,
                   WITH_HOST("Content-Length:5", "Transfer-Encoding:chunked"));
  assert_int_equal(400, WITH_HOST("Transfer-Encoding:chunked",
                                  "Transfer-Encoding:chunked"));
  assert_int_equal(400, VERDICT('0', "Transfer-Encoding:chunked"));
}

static void refuses_lengths_that_are_no_number(void **state) {
  (void)state;
  static const char *const bad[] = {
      "Content-Length:",   "Content-Length:5, 5", "Content-Length:+5",
      "Content-Length:-1", "Content-Length:0x5",  "Content-Length:5 5"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_int_equal(400, WITH_HOST(bad[i]));
}

static void a_length_over_the_limit_never_wraps(void **state) {
  (void)state;
  assert_int_equal(0, WITH_HOST("Content-Length:1000"));
  assert_int_equal(413, WITH_HOST("Content-Length:1001"));
  assert_int_equal(413, WITH_HOST("Content-Length:18446744073709551621"));
  assert_int_equal(413, WITH_HOST("Content-Length:18446744073709551615"));
}

static void refuses_other_codings(void **state) {
  (void)state;
  assert_int_equal(501, WITH_HOST("Transfer-Encoding:gzip, chunked"));
  static const char *const bad[] = {
      "Transfer-Encoding:identity",         "Transfer-Encoding:xchunked",
      "Transfer-Encoding:chunked, chunked", "Transfer-Encoding:\"chunked\"",
      "Transfer-Encoding:\vchunked",        "Transfer-Encoding:",
      "Transfer-Encoding:chunked ",         "Transfer-Encoding:chunked\t"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_int_equal(400, WITH_HOST(bad[i]));
}

static void wants_one_host(void **state) {
  (void)state;
  assert_int_equal(400, VERDICT('1', "X:y"));
  assert_int_equal(400, VERDICT('1', "Host:a", "Host:a"));
  assert_int_equal(400, VERDICT('1', "Host:a, b"));
  assert_int_equal(400, VERDICT('1', "Host:a/b"));
  assert_int_equal(400, VERDICT('1', "Host:u@a"));
}

static void refuses_names_and_values_that_hide(void **state) {
  (void)state;
  assert_int_equal(400, WITH_HOST(":v"));
  assert_int_equal(400, WITH_HOST("X :v"));
  assert_int_equal(400, WITH_HOST("X\t:v"));
  assert_int_equal(400, WITH_HOST("X:a\rb"));
  assert_int_equal(400, WITH_HOST("X:a\x7f"));
}

static void counts_bytes_and_headers(void **state) {
  (void)state;
  char line[64] = "X:";
  memset(line + 2, 'a', 37);
  assert_int_equal(0, WITH_HOST(line));
  line[39] = 'a';
  assert_int_equal(431, WITH_HOST(line));
  assert_int_equal(0, WITH_HOST("a:b", "c:d", "e:f", "g:h"));
  assert_int_equal(431, WITH_HOST("a:b", "c:d", "e:f", "g:h", "i:j"));
  line[39] = '\0';
  assert_int_equal(431, WITH_HOST(line, line, line, line));
}

static unsigned target(const char *text) {
  size_t size = strlen(text);
  char *copy = edge_copy(text, size);
  unsigned status = fh_head_target(copy, size);
  edge_free(copy, size);
  return status;
}

static void checks_targets(void **state) {
  (void)state;
  static const char *const good[] = {
      "/", "*", "/a%41?b=%zz", "/%2e%2e/", "http://evil/x", "HTTPS://evil?x"};
  static const char *const bad[] = {"",     "x",      "/a#b", "/%",
                                    "/%4",  "/%z1",   "/a b", "/a\x01",
                                    "a:80", "http://"};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++)
    assert_int_equal(0, target(good[i]));
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_int_equal(400, target(bad[i]));
}

static void routes_absolute_forms_by_their_path(void **state) {
  (void)state;
  assert_int_equal(0, fh_head_path("/a", 2));
  assert_int_equal(11, fh_head_path("http://evil/x", 13));
  assert_int_equal(12, fh_head_path("https://evil?x", 14));
  assert_int_equal(11, fh_head_path("http://evil", 11));
}

/* Reads raw lines at a page's end; the status, or the bytes of the lines. */
static size_t lines(const char *raw, size_t size, unsigned *status) {
  fh_head head = {0};
  char *copy = edge_copy(raw, size);
  size_t length = fh_head_lines(&head, &limits, copy, size);
  edge_free(copy, size);
  *status = head.status;
  return length;
}

static void expect_lines(size_t length, unsigned status, const char *raw,
                         size_t size) {
  unsigned got;
  assert_int_equal(length, lines(raw, size, &got));
  assert_int_equal(status, got);
}

#define LINES(length, status, raw)                                            \
  expect_lines(length, status, raw, sizeof(raw) - 1)

static void reads_raw_lines_to_the_empty_one(void **state) {
  (void)state;
  static const char good[] = "a: b\r\nC:\t d \r\ne:\r\n\r\n";
  LINES(2, 0, "\r\n");
  LINES(sizeof good - 1, 0, "a: b\r\nC:\t d \r\ne:\r\n\r\n");
  LINES(sizeof good - 1, 0, "a: b\r\nC:\t d \r\ne:\r\n\r\nb\nody");
  for (size_t size = 0; size < sizeof good - 1; size++)
    expect_lines(0, 0, good, size);
}

static void refuses_raw_lines_that_have_two_readings(void **state) {
  (void)state;
  LINES(0, 400, "\n");
  LINES(0, 400, "a: b\n\r\n");
  LINES(0, 400, "a: b\r\n\n");
  LINES(0, 400, ":\r\n\r\n");
  LINES(0, 400, "a: b\r\n:\n");
  LINES(0, 400, "a: b\r\n:\r\n");
  LINES(0, 400, "a: b\r\n c\r\n");
  LINES(0, 400, "a: b\r\n c: d\r\n");
  LINES(0, 400, "a\r\n");
  LINES(0, 400, "a: b\rc: d\r\n");
  LINES(0, 400, "a: b\r\r\n");
  LINES(0, 400, "a: b\0\r\n");
  LINES(0, 400, "a\0: b\r\n");
  LINES(0, 400, "Content-Length: +5\r\n");
  LINES(0, 431, "a: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n");
}

static void knows_what_ends_the_connection(void **state) {
  (void)state;
  static const char *const last[] = {"close", "Close", "x, close", "close,x"};
  static const char *const not_last[] = {"", "keep-alive", "closed", "xclose"};
  for (size_t i = 0; i < sizeof last / sizeof *last; i++) {
    fh_head head = {0}, other = {0};
    fh_head_field(&head, &limits, "connection", 10, last[i], strlen(last[i]));
    assert_true(head.last);
    fh_head_field(&other, &limits, "connection", 10, not_last[i],
                  strlen(not_last[i]));
    assert_false(other.last);
  }
}

static void methods_are_tokens(void **state) {
  (void)state;
  assert_true(fh_head_method("POST"));
  assert_true(fh_head_method("M-SEARCH"));
  assert_false(fh_head_method(""));
  assert_false(fh_head_method("PO\tST"));
  assert_false(fh_head_method("\x16\x03"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(takes_ordinary_heads),
      cmocka_unit_test(refuses_two_ways_to_find_the_end),
      cmocka_unit_test(refuses_lengths_that_are_no_number),
      cmocka_unit_test(a_length_over_the_limit_never_wraps),
      cmocka_unit_test(refuses_other_codings),
      cmocka_unit_test(wants_one_host),
      cmocka_unit_test(refuses_names_and_values_that_hide),
      cmocka_unit_test(counts_bytes_and_headers),
      cmocka_unit_test(checks_targets),
      cmocka_unit_test(routes_absolute_forms_by_their_path),
      cmocka_unit_test(reads_raw_lines_to_the_empty_one),
      cmocka_unit_test(refuses_raw_lines_that_have_two_readings),
      cmocka_unit_test(knows_what_ends_the_connection),
      cmocka_unit_test(methods_are_tokens),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
