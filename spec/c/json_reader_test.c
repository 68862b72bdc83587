#include "support.h"

#include "json.h"

static const fh_json_limits usual = {64, 127, false};

static const char letters[] = "!.nft0\"N[{]}"; /* of the tokens, in order */

/* The tokens of a text that ends where its page ends, a letter each. */
static const char *tokens_of(const char *text, size_t size, char *out) {
  fh_json_reader r;
  fh_json_token token;
  char *bytes = edge_copy(text, size), *at = out;
  fh_json_begin(&r, (fh_slice){bytes, size}, &usual);
  do {
    token = fh_json_next(&r);
    assert_true(size == 0 || (r.at > bytes - 1 && r.at <= bytes + size));
    *at++ = letters[token];
  } while (token > FH_JSON_END);
  *at = '\0';
  assert_int_equal(token == FH_JSON_WRONG, r.wrong != NULL);
  edge_free(bytes, size);
  return out;
}

static void reads_token_by_token(void **state) {
  (void)state;
  static const struct {
    const char *text, *tokens;
  } rows[] = {
      {"null", "n."},
      {" [ ] ", "[]."},
      {"{}", "{}."},
      {"[1,\"a\",true,false,null]", "[0\"tfn]."},
      {"{\"a\":{\"b\":[]},\"c\":1}", "{N{N[]}N0}."},
      {"[{},[[]],{\"a\":[{}]}]", "[{}[[]]{N[{}]}]."},
      {"", "!"},
      {"[1 2]", "[0!"},
      {"[,1]", "[!"},
      {"[1,]", "[0!"},
      {"{\"a\"}", "{!"},
      {"{\"a\":}", "{N!"},
      {"{\"a\":1,}", "{N0!"},
      {"[}", "[!"},
      {"{]", "{!"},
      {"1 2", "0!"},
      {"]", "!"},
  };
  char tokens[64];
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    assert_string_equal(rows[i].tokens,
                        tokens_of(rows[i].text, strlen(rows[i].text), tokens));
}

static void stays_wrong(void **state) {
  (void)state;
  fh_json_reader r;
  fh_json_begin(&r, (fh_slice){"[x]", 3}, &usual);
  assert_int_equal(FH_JSON_ARRAY, fh_json_next(&r));
  for (int i = 0; i < 3; i++)
    assert_int_equal(FH_JSON_WRONG, fh_json_next(&r));
  assert_string_equal("a value is missing", r.wrong);
}

/* What a string is, in memory that ends behind it. */
static void assert_unescapes(const char *expected, size_t size,
                             const char *text) {
  fh_json_reader r;
  char *room = edge_copy(expected, size);
  memset(room, 'x', size);
  fh_json_begin(&r, (fh_slice){text, strlen(text)}, &usual);
  assert_int_equal(FH_JSON_STRING, fh_json_next(&r));
  assert_int_equal(size, r.size);
  fh_json_unescape(&r, room);
  assert_memory_equal(expected, room, size);
  edge_free(room, size);
}

static void tells_the_size_of_a_string_before_it_is_unescaped(void **state) {
  (void)state;
  assert_unescapes("plain", 5, "\"plain\"");
  assert_unescapes("\"\\/\b\f\n\r\t", 8, "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"");
  assert_unescapes("\0a\x7f", 3, "\"\\u0000a\\u007F\"");
  assert_unescapes("\xc2\x80\xdf\xbf", 4, "\"\\u0080\\u07ff\"");
  assert_unescapes("\xe0\xa0\x80\xef\xbf\xbf", 6, "\"\\u0800\\uFFFF\"");
  assert_unescapes("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", 8,
                   "\"\\ud800\\udc00\\udbff\\udfff\"");
  assert_unescapes("\xe2\x82\xac=\xe2\x82\xac", 7, "\"\xe2\x82\xac=\\u20ac\"");
}

static void takes_any_bytes_if_told_to(void **state) {
  (void)state;
  fh_json_reader r;
  const char text[] = "\"\xff\xc0\\n\xed\xa0\x80\"";
  char out[6];
  fh_json_begin(&r, (fh_slice){text, sizeof text - 1},
                &(fh_json_limits){1, 1, true});
  assert_int_equal(FH_JSON_STRING, fh_json_next(&r));
  assert_int_equal(sizeof out, r.size);
  fh_json_unescape(&r, out);
  assert_memory_equal("\xff\xc0\n\xed\xa0\x80", out, sizeof out);
  fh_json_begin(&r, (fh_slice){text, sizeof text - 1}, &usual);
  assert_int_equal(FH_JSON_WRONG, fh_json_next(&r));
  assert_string_equal("a string is not UTF-8", r.wrong);
}

static void counts_a_name_unescaped(void **state) {
  (void)state;
  fh_json_reader r;
  const fh_json_limits narrow = {64, 2, false};
  fh_json_begin(&r, (fh_slice){"{\"\\u0061\\u0062\":1}", 18}, &narrow);
  fh_json_next(&r);
  assert_int_equal(FH_JSON_NAME, fh_json_next(&r));
  fh_json_begin(&r, (fh_slice){"{\"abc\":1}", 9}, &narrow);
  fh_json_next(&r);
  assert_int_equal(FH_JSON_WRONG, fh_json_next(&r));
  assert_string_equal("an object's name is too long", r.wrong);
}

static void knows_arrays_from_objects_at_any_depth(void **state) {
  (void)state;
  enum { DEEP = FH_JSON_DEPTH };
  char text[8 * DEEP], *at = text;
  for (int i = 0; i < DEEP; i++)
    at += i % 3 == 0 ? (memcpy(at, "{\"a\":", 5), 5) : (*at = '[', 1);
  *at++ = '1';
  for (int i = DEEP; i-- > 0;)
    *at++ = i % 3 == 0 ? '}' : ']';
  fh_json_reader r;
  fh_json_token token;
  const fh_json_limits most = {SIZE_MAX, 127, false};
  fh_json_begin(&r, (fh_slice){text, (size_t)(at - text)}, &most);
  while ((token = fh_json_next(&r)) > FH_JSON_END)
    assert_true(r.depth <= DEEP);
  assert_int_equal(FH_JSON_END, token);
}

/* The checker sees what the reader sees, and names that come twice. */
static void agrees_with_the_checker_on_any_bytes(void **state) {
  (void)state;
  static const char alphabet[] = "{}[]\"\":,,\\u0dD8cafe1-+.eE tfn\xc3\xa9\0";
  uint32_t seed = 2463534242u;
  size_t good = 0;
  for (int round = 0; round < 50000; round++) {
    char text[24], tokens[64];
    size_t size = next_random(&seed) % sizeof text, where;
    for (size_t i = 0; i < size; i++)
      text[i] = alphabet[next_random(&seed) % (sizeof alphabet - 1)];
    const char *wrong = fh_json_check((fh_slice){text, size}, &usual, &where);
    bool read = !strchr(tokens_of(text, size, tokens), '!');
    assert_true(wrong == fh_json_twice ? read || size > where
                                       : read == !wrong);
    good += read;
  }
  assert_true(good > 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_token_by_token),
      cmocka_unit_test(stays_wrong),
      cmocka_unit_test(tells_the_size_of_a_string_before_it_is_unescaped),
      cmocka_unit_test(takes_any_bytes_if_told_to),
      cmocka_unit_test(counts_a_name_unescaped),
      cmocka_unit_test(knows_arrays_from_objects_at_any_depth),
      cmocka_unit_test(agrees_with_the_checker_on_any_bytes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
