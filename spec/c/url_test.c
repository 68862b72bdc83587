#include "support.h"

#include "url.h"

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

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(takes_what_a_request_may_go_to),
      cmocka_unit_test(refuses_all_else),
      cmocka_unit_test(has_a_longest_length),
      cmocka_unit_test(parses_other_schemes_and_userinfo),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
