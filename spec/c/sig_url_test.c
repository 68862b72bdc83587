#include "support.h"

#include "sig_url.h"

static fh_slice slice(const char *text) {
  return (fh_slice){text, strlen(text)};
}

/* The forms of a URL, each ended by a blank; escaped ones begin with a `!`. */
static const char *forms(const char *url) {
  static char out[1024];
  size_t at = 0, size = strlen(url);
  fh_signed_url opened;
  char *edge = edge_copy(url, size);
  assert_null(fh_signed_url_check((fh_slice){edge, size}));
  assert_true(fh_signed_url_open(&opened, (fh_slice){edge, size}));
  edge_free(edge, size);
  assert_true(opened.count <= FH_URL_FORMS);
  for (size_t i = 0; i < opened.count; i++) {
    fh_slice text = opened.forms[i].text;
    if (opened.forms[i].apostrophe)
      out[at++] = '!';
    memcpy(out + at, text.data, text.size);
    at += text.size;
    out[at++] = ' ';
  }
  out[at] = '\0';
  fh_signed_url_close(&opened);
  fh_signed_url_close(&opened);
  return out;
}

static void adds_or_removes_the_port(void **state) {
  (void)state;
  assert_string_equal("https://h/e https://h:443/e ", forms("https://h/e"));
  assert_string_equal("http://h/e http://h:80/e ", forms("http://h/e"));
  assert_string_equal("https://h:443/e https://h/e ",
                      forms("https://h:443/e"));
  assert_string_equal("https://h:8443/e https://h/e ",
                      forms("https://h:8443/e"));
  assert_string_equal("http://h:443/e http://h/e ", forms("http://h:443/e"));
  assert_string_equal("https://h:/e https://h/e ", forms("https://h:/e"));
  assert_string_equal("HTTPS://H/e HTTPS://H:443/e ", forms("HTTPS://H/e"));
}

static void a_bracketed_host_has_colons_of_its_own(void **state) {
  (void)state;
  assert_string_equal("https://[::1]/e https://[::1]:443/e ",
                      forms("https://[::1]/e"));
  assert_string_equal("https://[::1]:8443/e https://[::1]/e ",
                      forms("https://[::1]:8443/e"));
}

static void signs_with_and_without_userinfo(void **state) {
  (void)state;
  assert_string_equal("https://h/e https://h:443/e https://u:p@h/e "
                      "https://u:p@h:443/e ",
                      forms("https://u:p@h/e"));
  assert_string_equal("https://h:1/e https://h/e https://u@x@h:1/e "
                      "https://u@x@h/e ",
                      forms("https://u@x@h:1/e"));
}

static void leaves_query_and_fragment_out(void **state) {
  (void)state;
  assert_string_equal("https://h/e https://h:443/e ",
                      forms("https://h/e?x=1#rc=3&rp=all"));
  assert_string_equal("https://h/e https://h:443/e ", forms("https://h/e#?x"));
  assert_string_equal("https://h https://h:443 ", forms("https://h"));
  assert_string_equal("https://h https://h:443 ", forms("https://h?a@b:1/c"));
  assert_string_equal("https://h https://h:443 ", forms("https://h#@x:1"));
}

static void touches_no_escape(void **state) {
  (void)state;
  assert_string_equal("https://h/%2f%2F/./../a%zz https://h:443/%2f%2F/./../a"
                      "%zz ",
                      forms("https://h/%2f%2F/./../a%zz"));
}

static void escapes_apostrophes_of_the_path(void **state) {
  (void)state;
  assert_string_equal("https://h/it's https://h:443/it's !https://h/it%27s "
                      "!https://h:443/it%27s ",
                      forms("https://h/it's?x='"));
  assert_string_equal(
      "http://h:1/'' http://h/'' http://u@h:1/'' http://u@h/'' "
      "!http://h:1/%27%27 !http://h/%27%27 !http://u@h:1/%27%27 "
      "!http://u@h/%27%27 ",
      forms("http://u@h:1/''"));
}

static void writes_the_documented_form(void **state) {
  (void)state;
  static const char *const rows[][2] = {
      {"https://u:p@h:8443/it's?x='#rc=3", "https://h:8443/it's?x='"},
      {"https://h", "https://h"},
      {"https://h/?#f", "https://h/?"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char text[64];
    fh_signed_url opened;
    assert_true(fh_signed_url_open(&opened, slice(rows[i][0])));
    size_t size = fh_signed_url_write(&opened, text);
    fh_signed_url_close(&opened);
    assert_int_equal(strlen(rows[i][1]), size);
    assert_memory_equal(rows[i][1], text, size);
  }
}

static void escapes_as_many_as_there_are(void **state) {
  (void)state;
  enum { MANY = 1000 };
  char url[MANY + 16] = "http://u@h/";
  fh_signed_url opened;
  memset(url + 11, '\'', MANY);
  assert_true(fh_signed_url_open(&opened, (fh_slice){url, 11 + MANY}));
  assert_int_equal(FH_URL_FORMS, opened.count);
  fh_slice last = opened.forms[FH_URL_FORMS - 1].text;
  assert_int_equal(strlen("http://u@h:80/") + 3 * MANY, last.size);
  assert_memory_equal("%27", last.data + last.size - 3, 3);
  fh_signed_url_close(&opened);
}

static void refuses_what_is_no_configured_url(void **state) {
  (void)state;
  static const char *const bad[] = {
      "",
      "h.example/e",
      "/flex/events",
      "//h/e",
      "ftp://h/e",
      "https:/h/e",
      "https//h/e",
      "https://",
      "https:///e",
      "https://u:p@/e",
      "https://:443/e",
      "https://?x",
      "http://#x",
      "https://h /e",
      "https://h/a b",
      "https://h/\te",
      "https://h/\n",
      "https://h/\x7f",
      "https://h:80x/e",
      "https://h:-1/e",
      "https://h:65536/e",
      "https://h:99999999999999999999/e",
      "https://[::1]x:1:2/e",
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    fh_signed_url opened;
    size_t size = strlen(bad[i]);
    char *edge = edge_copy(bad[i], size);
    assert_non_null(fh_signed_url_check((fh_slice){edge, size}));
    assert_false(fh_signed_url_open(&opened, (fh_slice){edge, size}));
    edge_free(edge, size);
  }
  assert_non_null(fh_signed_url_check((fh_slice){"https://h/\0", 11}));
  assert_null(fh_signed_url_check(slice("https://h:65535/e")));
}

/* What is left of the request's query, or "differs". */
static const char *rest_of(const char *url, const char *query) {
  static char out[64];
  fh_signed_url opened;
  fh_slice rest, given = query ? slice(query) : (fh_slice){NULL, 0};
  assert_true(fh_signed_url_open(&opened, slice(url)));
  bool matches = fh_signed_url_match(&opened, given, &rest);
  fh_signed_url_close(&opened);
  if (!matches) {
    assert_ptr_equal(given.data, rest.data);
    return "differs";
  }
  if (rest.size > 0)
    memcpy(out, rest.data, rest.size);
  out[rest.size] = '\0';
  return out;
}

static void a_query_begins_with_the_configured_one(void **state) {
  (void)state;
  assert_string_equal("", rest_of("https://h/e", NULL));
  assert_string_equal("", rest_of("https://h/e", ""));
  assert_string_equal("x=1", rest_of("https://h/e", "x=1"));
  assert_string_equal("", rest_of("https://h/e?x=1", "x=1"));
  assert_string_equal("&y=2", rest_of("https://h/e?x=1", "x=1&y=2"));
  assert_string_equal("&", rest_of("https://h/e?x=1", "x=1&"));
  assert_string_equal("x=1", rest_of("https://h/e?", "x=1"));
  assert_string_equal("", rest_of("https://h/e?", NULL));
  assert_string_equal("differs", rest_of("https://h/e?x=1", NULL));
  assert_string_equal("differs", rest_of("https://h/e?x=1", ""));
  assert_string_equal("differs", rest_of("https://h/e?x=1", "x=12"));
  assert_string_equal("differs", rest_of("https://h/e?x=1", "x="));
  assert_string_equal("differs", rest_of("https://h/e?x=1", "y=2&x=1"));
  assert_string_equal("differs", rest_of("https://h/e?x=1&y=2", "y=2&x=1"));
  assert_string_equal("differs", rest_of("https://h/e?x=%2F", "x=%2f"));
}

static void an_apostrophe_may_come_escaped(void **state) {
  (void)state;
  assert_string_equal("&y", rest_of("https://h/?x='", "x=%27&y"));
  assert_string_equal("&y", rest_of("https://h/?x=%27", "x='&y"));
  assert_string_equal("", rest_of("https://h/?x=''", "x='%27"));
  assert_string_equal("differs", rest_of("https://h/?x='", "x=%2"));
  assert_string_equal("differs", rest_of("https://h/?x='", "x=%"));
  assert_string_equal("differs", rest_of("https://h/?x=%27", "x=%28"));
}

static void takes_any_bytes(void **state) {
  (void)state;
  static const char alphabet[] = "hH::/[]@?#'%27&=a\xc3 ";
  uint32_t seed = 4711;
  for (int round = 0; round < 20000; round++) {
    char text[40] = "https://";
    size_t size = 6 + next_random(&seed) % 30;
    for (size_t i = 8; i < size; i++)
      text[i] = alphabet[next_random(&seed) % (sizeof alphabet - 1)];
    char *edge = edge_copy(text, size);
    fh_slice url = {edge, size}, rest;
    fh_signed_url opened;
    bool good = !fh_signed_url_check(url);
    assert_int_equal(good, fh_signed_url_open(&opened, url));
    if (good) {
      assert_true(fh_signed_url_match(&opened, opened.query, &rest));
      fh_signed_url_match(&opened, url, &rest);
      fh_signed_url_close(&opened);
    }
    edge_free(edge, size);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(adds_or_removes_the_port),
      cmocka_unit_test(a_bracketed_host_has_colons_of_its_own),
      cmocka_unit_test(signs_with_and_without_userinfo),
      cmocka_unit_test(leaves_query_and_fragment_out),
      cmocka_unit_test(touches_no_escape),
      cmocka_unit_test(escapes_apostrophes_of_the_path),
      cmocka_unit_test(writes_the_documented_form),
      cmocka_unit_test(escapes_as_many_as_there_are),
      cmocka_unit_test(refuses_what_is_no_configured_url),
      cmocka_unit_test(a_query_begins_with_the_configured_one),
      cmocka_unit_test(an_apostrophe_may_come_escaped),
      cmocka_unit_test(takes_any_bytes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
