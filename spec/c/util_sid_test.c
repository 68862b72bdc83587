#include "support.h"

#include "util_sid.h"

static bool is_sid(const char *text, const char *kind, bool any_case) {
  size_t size = strlen(text);
  char *copy = edge_copy(text, size);
  bool right = fh_is_sid((fh_slice){copy, size}, kind, any_case);
  edge_free(copy, size);
  return right;
}

#define HEX "0123456789abcdef0123456789abcde"

static void knows_its_kind_and_length(void **state) {
  (void)state;
  assert_true(is_sid("AC" HEX "f", "AC", false));
  assert_true(is_sid("KD" HEX "0", "KD", true));
  assert_false(is_sid("AC" HEX "f", "KD", true));
  assert_false(is_sid("ac" HEX "f", "AC", true));
  assert_false(is_sid("AC" HEX, "AC", true));
  assert_false(is_sid("AC" HEX "ff", "AC", true));
  assert_false(is_sid("AC", "AC", true));
  assert_false(is_sid("A", "AC", true));
  assert_false(fh_is_sid((fh_slice){NULL, 0}, "AC", true));
}

static void every_other_byte_is_no_digit(void **state) {
  (void)state;
  char text[] = "AC" HEX "f";
  for (int c = 1; c < 256; c++) {
    text[17] = (char)c;
    bool lower = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    bool upper = c >= 'A' && c <= 'F';
    assert_int_equal(lower, is_sid(text, "AC", false));
    assert_int_equal(lower || upper, is_sid(text, "AC", true));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(knows_its_kind_and_length),
      cmocka_unit_test(every_other_byte_is_no_digit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
