#include "support.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "json_number.h"

/* Is a text that ends where its page ends a number, and nothing else? */
static bool good(const char *text, size_t size) {
  char *bytes = edge_copy(text, size);
  const char *at = bytes, *wrong = fh_json_number(&at, bytes + size);
  bool whole = at == bytes + size;
  assert_true(at >= bytes && at <= bytes + size);
  edge_free(bytes, size);
  return !wrong && whole;
}

static void every_whole_number_has_prefixes_that_are_numbers(void **state) {
  (void)state;
  static const char text[] = "-120.5e-3";
  static const bool expected[] = {false, false, true,  true,  true,
                                  false, true,  false, false, true};
  for (size_t cut = 0; cut < sizeof text; cut++)
    assert_int_equal(expected[cut], good(text, cut));
}

static void knows_the_last_double(void **state) {
  (void)state;
  static const struct {
    const char *text;
    bool finite;
  } rows[] = {
      {"1.7976931348623157e308", true},
      {"1.7976931348623158e+308", true},
      {"1.79769313486231580789e308", true},
      {"1.79769313486231580793e308", false},
      {"-1.7976931348623159e308", false},
      {"179769313486231570000e288", true},
      {"179769313486231590000e288", false},
      {"0.00000000001797693134862315700e319", true},
      {"0.00000000001797693134862315900e319", false},
      {"9e307", true},
      {"9e308", false},
      {"1e309", false},
      {"0.1e310", false},
      {"0.1e309", true},
      {"0e310", true},
      {"0.000e99999999999999999999999999999999", true},
      {"1e-99999999999999999999999999999999", true},
      {"1e99999999999999999999999999999999", false},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    assert_int_equal(rows[i].finite, good(rows[i].text, strlen(rows[i].text)));
}

/* strtod is the judge of what a number that passes the grammar comes to. */
static void agrees_with_strtod_around_the_last_double(void **state) {
  (void)state;
  char text[64];
  for (int exponent = 300; exponent < 315; exponent++) {
    for (int digits = 1; digits < 20; digits++) {
      int size = snprintf(text, sizeof text, "1.%.*se%d", digits,
                          "7976931348623157081", exponent);
      bool finite = strtod(text, NULL) < HUGE_VAL;
      assert_int_equal(finite, good(text, (size_t)size));
    }
  }
}

static void stops_behind_the_number(void **state) {
  (void)state;
  static const char *const texts[] = {"1,", "0x10", "1.5]", "1e5.5", "-0 "};
  static const size_t sizes[] = {1, 1, 3, 3, 2};
  for (size_t i = 0; i < 5; i++) {
    const char *at = texts[i];
    assert_null(fh_json_number(&at, at + strlen(at)));
    assert_int_equal(sizes[i], at - texts[i]);
  }
}

static void refuses_what_the_grammar_does_not_have(void **state) {
  (void)state;
  static const char *const bad[] = {"",   "-",    "+1", "01",  "-01", ".5",
                                    "1.", "1.e5", "1e", "1e+", "--1", "e5"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_false(good(bad[i], strlen(bad[i])));
}

/* strtod, in the C locale that tests run in, is the judge. */
static void assert_value(const char *text) {
  double expected = strtod(text, NULL);
  size_t size = strlen(text);
  char *bytes = edge_copy(text, size);
  double got = fh_json_double(bytes, size);
  edge_free(bytes, size);
  if (memcmp(&expected, &got, sizeof got) != 0)
    fail_msg("%s: %.17g, not %.17g", text, got, expected);
}

static void gives_the_nearest_double(void **state) {
  (void)state;
  static const char *const texts[] = {
      "0",
      "-0",
      "0.0e5",
      "-0e-99999999999999999999",
      "1",
      "-1.5",
      "0.1",
      "1e22",
      "1e23",
      "123456789012345678",
      "9007199254740992",
      "9007199254740993",
      "9007199254740993.0",
      "-9007199254740995",
      "8.442911973260991817129021e-309",
      "4.9406564584124654e-324",
      "2.4703282292062327e-324",
      "2.4703282292062328e-324",
      "2.2250738585072011e-308",
      "1.7976931348623157e308",
      "1.00000000000000011102230246251565404236316680908203125",
      "1.00000000000000011102230246251565404236316680908203124",
      "1.00000000000000011102230246251565404236316680908203126",
      "1e-99999999999999999999",
      "0.000001e-6",
      "1E+2",
      "3.0e-22",
  };
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    assert_value(texts[i]);
}

/* A tie between two doubles that only the very last digit breaks. */
static void reads_digits_without_end(void **state) {
  (void)state;
  static const char tie[] =
      "1.00000000000000011102230246251565404236316680908203125";
  enum { LONG = 3000 };
  char text[LONG + 1];
  memcpy(text, tie, sizeof tie - 1);
  memset(text + sizeof tie - 1, '0', LONG - (sizeof tie - 1));
  text[LONG] = '\0';
  assert_value(text);
  text[LONG - 1] = '1';
  assert_value(text);
  memset(text, '0', LONG);
  text[1] = '.';
  memcpy(text + LONG - 6, "1e2990", 6);
  assert_value(text);
  memset(text, '9', LONG);
  memcpy(text + LONG - 6, "e-2900", 6);
  assert_value(text);
}

static void gives_random_doubles(void **state) {
  (void)state;
  uint32_t seed = 88172645u;
  char text[64];
  for (int i = 0; i < 50000; i++) {
    uint64_t bits = (uint64_t)next_random(&seed) << 32 | next_random(&seed);
    double number;
    memcpy(&number, &bits, sizeof number);
    if (!isfinite(number))
      continue;
    int digits = 1 + (int)(next_random(&seed) % 20);
    snprintf(text, sizeof text, "%.*e", digits, number);
    if (isfinite(strtod(text, NULL)))
      assert_value(text);
    snprintf(text, sizeof text, "%.*f", digits,
             (double)(int32_t)next_random(&seed) / 1e4);
    assert_value(text);
  }
}

static bool is_whole(const char *text, int64_t *whole) {
  size_t size = strlen(text);
  char *edge = edge_copy(text, size);
  bool found = fh_json_whole(edge, size, whole);
  edge_free(edge, size);
  return found;
}

static void gives_whole_numbers_exactly(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int64_t whole;
  } rows[] = {
      {"0", 0},
      {"-1", -1},
      {"9007199254740993", INT64_C(9007199254740993)},
      {"9223372036854775807", INT64_MAX},
      {"-9223372036854775808", INT64_MIN},
      {"1e3", 1000},
      {"1.50e1", 15},
      {"100e-2", 1},
      {"0e5", 0},
      {"0.000", 0},
      {"9999999.0E0", 9999999},
      {"1000000000000000000", INT64_C(1000000000000000000)},
      {"-9007199254740991.0", -INT64_C(9007199254740991)},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    int64_t whole = 7;
    assert_true(is_whole(rows[i].text, &whole));
    assert_true(whole == rows[i].whole);
  }
}

static void takes_no_other_for_a_whole_number(void **state) {
  (void)state;
  static const char *const texts[] = {
      "-0",
      "-0.0",
      "0.5",
      "15e-1",
      "9223372036854775808",
      "-9223372036854775809",
      "18446744073709551617",
      "9999999999999999999",
      "10000000000000000000",
      "1.1",
      "9007199254740992.0",
      "9007199254740993e0",
      "1e18",
      "1e999999999",
      "1e-999999999",
      "1.000000000000000000000000000001",
      "100000000000000000000000000000000000000000000000",
  };
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    int64_t whole;
    assert_false(is_whole(texts[i], &whole));
  }
}

/* Every whole number of 64 bits, as plain digits. */
static void gives_random_whole_numbers(void **state) {
  (void)state;
  uint32_t seed = 2463534242u;
  char text[32];
  for (int i = 0; i < 50000; i++) {
    int64_t number =
        (int64_t)((uint64_t)next_random(&seed) << 32 | next_random(&seed)) >>
        next_random(&seed) % 63;
    int64_t whole;
    snprintf(text, sizeof text, "%" PRId64, number);
    assert_true(is_whole(text, &whole));
    assert_true(whole == number);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_whole_number_has_prefixes_that_are_numbers),
      cmocka_unit_test(knows_the_last_double),
      cmocka_unit_test(agrees_with_strtod_around_the_last_double),
      cmocka_unit_test(stops_behind_the_number),
      cmocka_unit_test(refuses_what_the_grammar_does_not_have),
      cmocka_unit_test(gives_the_nearest_double),
      cmocka_unit_test(reads_digits_without_end),
      cmocka_unit_test(gives_random_doubles),
      cmocka_unit_test(gives_whole_numbers_exactly),
      cmocka_unit_test(takes_no_other_for_a_whole_number),
      cmocka_unit_test(gives_random_whole_numbers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
