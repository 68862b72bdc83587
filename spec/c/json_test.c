#include "support.h"

#include "json.h"

static const fh_json_limits usual = {64, 127, false};

/* What is wrong with a text that ends where its page ends, or "". */
static const char *verdict(const char *text, size_t size) {
  char *bytes = edge_copy(text, size);
  size_t where = SIZE_MAX;
  const char *wrong = fh_json_check((fh_slice){bytes, size}, &usual, &where);
  assert_true(where <= size);
  edge_free(bytes, size);
  return wrong ? wrong : "";
}

static void stops_at_the_end_of_any_prefix(void **state) {
  (void)state;
  static const char text[] =
      " { \"a\\u00e9\\ud83d\\ude00\\n\" : [ -0.5e+10 , true , false , null , "
      "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\" , { } , [ ] ] } ";
  size_t size = sizeof text - 1;
  assert_string_equal("", verdict(text, size));
  assert_string_equal("", verdict(text, size - 1));
  for (size_t cut = 0; cut < size - 1; cut++)
    assert_string_not_equal("", verdict(text, cut));
}

static void nesting_is_bounded_on_the_stack(void **state) {
  (void)state;
  enum { DEEP = 200000 };
  char *deep = malloc(DEEP);
  memset(deep, '[', DEEP);
  assert_string_equal("it is nested too deeply", verdict(deep, DEEP));
  const fh_json_limits careless = {SIZE_MAX, SIZE_MAX, false};
  assert_non_null(fh_json_check((fh_slice){deep, DEEP}, &careless, NULL));
  memset(deep + FH_JSON_DEPTH, ']', FH_JSON_DEPTH);
  fh_slice most = {deep, 2 * FH_JSON_DEPTH};
  assert_null(fh_json_check(most, &careless, NULL));
  free(deep);
}

static void says_where(void **state) {
  (void)state;
  size_t where;
  fh_json_check((fh_slice){"[1,]", 4}, &usual, &where);
  assert_int_equal(3, where);
  fh_json_check((fh_slice){NULL, 0}, &usual, &where);
  assert_int_equal(0, where);
}

static void reads_any_bytes(void **state) {
  (void)state;
  static const char alphabet[] = "{}[]\"\":,,\\u0dD8cafe1-+.eE tfn\xc3\xa9\0";
  uint32_t seed = 2463534242u;
  size_t good = 0;
  for (int round = 0; round < 50000; round++) {
    char text[24];
    size_t size = next_random(&seed) % sizeof text;
    for (size_t i = 0; i < size; i++)
      text[i] = alphabet[next_random(&seed) % (sizeof alphabet - 1)];
    good += *verdict(text, size) == '\0';
  }
  assert_true(good > 0);
}

/* --- fh_json_string ------------------------------------------------------ */

static void assert_finds(const char *expected, const char *text) {
  fh_slice found = fh_json_string((fh_slice){text, strlen(text)}, &usual,
                                  (fh_slice){"AccountSid", 10});
  if (!expected) {
    assert_null(found.data);
    return;
  }
  assert_int_equal(strlen(expected), found.size);
  assert_memory_equal(expected, found.data, found.size);
}

static void finds_a_string_of_the_outer_objects_only(void **state) {
  (void)state;
  assert_finds("AC1", "{\"AccountSid\":\"AC1\"}");
  assert_finds("AC1", " {\"x\":{\"AccountSid\":\"AC2\"},\"AccountSid\" : "
                      "\"AC1\"} ");
  assert_finds("AC1", "{\"\\u0041ccountSid\":\"AC1\"}");
  assert_finds("", "{\"AccountSid\":\"\"}");
  assert_finds("AC1", "[{\"AccountSid\":\"AC1\"},{},{\"AccountSid\":\"AC1\"},"
                      "7]");
  assert_finds(NULL, "[{\"AccountSid\":\"AC1\"},{\"AccountSid\":\"AC2\"}]");
  assert_finds(NULL, "[[{\"AccountSid\":\"AC1\"}]]");
  assert_finds(NULL, "{\"data\":{\"AccountSid\":\"AC1\"}}");
  assert_finds(NULL, "{\"AccountSid\":1}");
  assert_finds(NULL, "{\"AccountSid\":[\"AC1\"]}");
  assert_finds(NULL, "[{\"AccountSid\":\"AC1\"},{\"AccountSid\":null}]");
  assert_finds(NULL, "{}");
  assert_finds(NULL, "");
  assert_finds(NULL, "\"AccountSid\"");
}

static void finds_nothing_in_what_is_malformed(void **state) {
  (void)state;
  assert_finds(NULL, "{\"AccountSid\":\"AC1\"");
  assert_finds(NULL, "{\"AccountSid\":\"AC1\"}x");
  assert_finds(NULL, "{\"AccountSid\":\"AC1\",\"AccountSid\":\"AC1\"}");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(stops_at_the_end_of_any_prefix),
      cmocka_unit_test(nesting_is_bounded_on_the_stack),
      cmocka_unit_test(says_where),
      cmocka_unit_test(reads_any_bytes),
      cmocka_unit_test(finds_a_string_of_the_outer_objects_only),
      cmocka_unit_test(finds_nothing_in_what_is_malformed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
