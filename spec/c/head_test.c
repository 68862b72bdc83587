#include "support.h"

#include "head.h"

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

static bool image(const char *raw, size_t size, size_t target_size) {
  char *copy = edge_copy(raw, size);
  bool right = fh_head_image(copy, size, target_size);
  edge_free(copy, size);
  return right;
}

#define IMAGE(raw, target_size) image(raw, sizeof(raw) - 1, target_size)

static void knows_the_image_of_a_good_head(void **state) {
  (void)state;
  assert_true(IMAGE("GET\0/\0HTTP/1.0\0\0\0\0", 1));
  assert_true(IMAGE("GET\0/\0HTTP/1.1\0\0a\0 b\0\0c\0\0\0\0\0", 1));
  assert_true(IMAGE("GET\0/\0x\0HTTP/1.1\0\0a\0b\0\0\0\0", 3));
}

static void every_other_image_is_wrong(void **state) {
  (void)state;
  assert_false(IMAGE("GET\0/\0HTTP/1.1\0a\0b\0\0\0\0", 1));
  assert_false(IMAGE("GET\0/\0HTTP/1.1\0\0a\0b\0c\0d\0\0\0\0", 1));
  assert_false(IMAGE("GET\0/\0HTTP/1.1\0\0a\0b\0\0\0", 1));
  assert_false(IMAGE("GET\0/\0HTTP/1.1\0\0a\0b\0", 1));
  assert_false(IMAGE("GET\0/\0HTTP/1.1\0\0a\0b\0\0\0\0\0", 1));
  assert_false(IMAGE("GET\0\0/\0HTTP/1.1\0\0a\0b\0\0\0\0", 1));
  assert_false(IMAGE("GET\0/\0HTTP/1.1\0\0\0b\0\0\0\0", 1));
  assert_false(IMAGE("GET", 1));
  assert_false(IMAGE("", 0));
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
      cmocka_unit_test(knows_the_image_of_a_good_head),
      cmocka_unit_test(every_other_image_is_wrong),
      cmocka_unit_test(methods_are_tokens),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
