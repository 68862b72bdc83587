#include "support.h"

#include "http_url.h"

/* libcurl reads a string, so the NUL belongs to what must be readable. */
static const char *check(const char *text, size_t size) {
  char *edge = edge_copy(text, size + 1);
  const char *wrong = fh_url_check(edge, size);
  edge_free(edge, size + 1);
  return wrong;
}

static void takes_what_a_request_may_go_to(void **state) {
  (void)state;
  static const char *const good[] = {
      "https://h",
      "http://h/",
      "HTTPS://H.example:443/a?b#c",
      "http://127.0.0.1:1",
      "http://[::1]",
      "http://[fe80::1]:65535/",
      "http://h?q@r",
      "http://h#f@g",
      "http://h/a:b@c/%00",
      "http://xn--bcher-kva.example/",
      "http://a_b-c.example",
  };
  for (size_t i = 0; i < sizeof good / sizeof *good; i++)
    assert_null(check(good[i], strlen(good[i])));
}

static void refuses_all_else(void **state) {
  (void)state;
  static const char *const bad[] = {
      "",
      "h",
      "http:",
      "http:h",
      "http:/h",
      "http://",
      "http:///h",
      "http://?",
      "http://#",
      "http://:80",
      "http://h:",
      "http://h:0",
      "http://h:x",
      "http://h:80x",
      "http://h:65536",
      "http://h:99999999999999999999",
      "http://@h",
      "http://u@h",
      "http://u:p@h",
      "http://h@",
      "http://h%41",
      "http://h,i",
      "http://h\\@i",
      "http://h i",
      "http://h/\n",
      "http://h/\x7f",
      "http://h/\x80",
      "http://[",
      "http://[]x",
      "http://[::1",
      "http://[::1]x",
      "http://[::1]:",
      "http://[::1%25lo]",
      "http://]",
      "ftp://h",
      "httpx://h",
      "xhttp://h",
      "http:x://h",
      "http::://h",
      "http:?://h",
      "://h",
      "file:///etc/passwd",
      "//h",
      "?http://h",
      "/http://h",
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    if (!check(bad[i], strlen(bad[i])))
      fail_msg("%s was accepted", bad[i]);
  assert_non_null(check("http://h/\0x", 11));
}

static void has_a_longest_length(void **state) {
  (void)state;
  char text[FH_URL_MAX + 2];
  memset(text, 'a', sizeof text);
  memcpy(text, "http://h/", 9);
  text[FH_URL_MAX] = '\0';
  assert_null(fh_url_check(text, FH_URL_MAX));
  text[FH_URL_MAX] = 'a';
  text[FH_URL_MAX + 1] = '\0';
  assert_non_null(fh_url_check(text, FH_URL_MAX + 1));
}

static void parses_other_schemes_and_userinfo(void **state) {
  (void)state;
  static const char *const good[] = {"redis://u:p@h:6379/0", "sqlite://h/a",
                                     "http://u@h/"};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    CURLU *url = NULL;
    assert_null(fh_url_parse(&url, good[i], strlen(good[i])));
    assert_non_null(url);
    curl_url_cleanup(url);
  }
}

static void expect_same(CURLU *a, CURLU *b, CURLUPart part) {
  char *one = NULL, *other = NULL;
  assert_int_equal(curl_url_get(a, part, &one, 0),
                   curl_url_get(b, part, &other, 0));
  if (one)
    assert_string_equal(one, other);
  curl_free(one);
  curl_free(other);
}

static void the_origin_before_changes_nothing(void **state) {
  (void)state;
  static const char *const urls[] = {"http://h:1/a",
                                     "http://h:1/b/c",
                                     "http://h:1//b/./../c;d=e@f:g,h",
                                     "http://h:1/",
                                     "http://h:1",
                                     "http://h:1/d?q=1",
                                     "http://h:1/d?",
                                     "http://h:1?q",
                                     "http://h:1#f",
                                     "http://h:1/%2Fe%aB",
                                     "http://h:1/e#f",
                                     "http://h:12/e",
                                     "http://h/e",
                                     "http://h.example/e",
                                     "http://h.example/f?g=%2F",
                                     "http://h.example/h",
                                     "https://h.example/h",
                                     "HTTPS://h.example/i",
                                     "https://H.example/i",
                                     "https://H.example/j",
                                     "https://[::1]/a",
                                     "https://[::1]/b",
                                     "https://[::1]:2/b"};
  fh_origin last = {0};
  for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
    CURLU *made = NULL, *parsed = NULL;
    assert_null(fh_url_check(urls[i], strlen(urls[i])));
    assert_null(fh_url_parse(&parsed, urls[i], strlen(urls[i])));
    assert_int_equal(CURLUE_OK, fh_url_open(&made, urls[i], &last));
    for (CURLUPart part = CURLUPART_URL; part <= CURLUPART_ZONEID; part++)
      expect_same(made, parsed, part);
    curl_url_cleanup(made);
    curl_url_cleanup(parsed);
  }
  CURLU *none = NULL;
  assert_int_not_equal(CURLUE_OK, fh_url_open(&none, "https://[1:2]/", &last));
  assert_null(none);
  fh_origin_free(&last);
  fh_origin_free(&last);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(takes_what_a_request_may_go_to),
      cmocka_unit_test(refuses_all_else),
      cmocka_unit_test(has_a_longest_length),
      cmocka_unit_test(parses_other_schemes_and_userinfo),
      cmocka_unit_test(the_origin_before_changes_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
