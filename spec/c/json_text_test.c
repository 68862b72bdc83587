#include "support.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "json.h"
#include "json_text.h"

/* What needs no escape is written the short way too, into no more room. */
static void expect_plain(fh_slice text, const char *expected) {
  char *out = malloc(text.size + 2);
  char *end = fh_json_put_plain(out, text);
  assert_int_equal(strlen(expected) == text.size + 2, end != NULL);
  if (end) {
    assert_ptr_equal(out + text.size + 2, end);
    assert_memory_equal(expected, out, text.size + 2);
  }
  free(out);
}

/* Writes into exactly the room that was announced, and checks the text. */
static void expect_text(fh_slice text, const char *expected) {
  expect_plain(text, expected);
  size_t room = fh_json_string_room(text);
  char *out = malloc(room);
  size_t size = (size_t)(fh_json_put_string(out, text, room) - out);
  assert_true(size <= room);
  assert_int_equal(strlen(expected), size);
  assert_memory_equal(expected, out, size);
  free(out);
}

static void writes_plain_strings(void **state) {
  (void)state;
  expect_text((fh_slice){NULL, 0}, "\"\"");
  expect_text((fh_slice){"a", 1}, "\"a\"");
  expect_text((fh_slice){"0123456789abcdefghi/\x7f\xff\xc3", 23},
              "\"0123456789abcdefghi/\x7f\xff\xc3\"");
}

static void escapes_what_must_be(void **state) {
  (void)state;
  expect_text((fh_slice){"\0\x1f\n\"\\", 5},
              "\"\\u0000\\u001f\\u000a\\\"\\\\\"");
  char text[40], expected[64];
  for (size_t at = 0; at < sizeof text; at++) {
    memset(text, 'x', sizeof text);
    text[at] = '"';
    snprintf(expected, sizeof expected, "\"%.*s\\\"%.*s\"", (int)at, text,
             (int)(sizeof text - at - 1), text + at + 1);
    expect_text((fh_slice){text, sizeof text}, expected);
  }
}

static const char *number_text(double number) {
  static char text[FH_JSON_NUMBER_ROOM + 1];
  char *end = fh_json_put_number(text, number);
  assert_true(end <= text + FH_JSON_NUMBER_ROOM);
  *end = '\0';
  return text;
}

static void writes_numbers_shortly(void **state) {
  (void)state;
  assert_string_equal("0", number_text(0));
  assert_string_equal("30001", number_text(30001));
  assert_string_equal("-9007199254740991", number_text(-9007199254740991.0));
  assert_string_equal("1700000000.123", number_text(1700000000.123));
  assert_string_equal("-0.5", number_text(-0.5));
  assert_string_equal("0.000001", number_text(1e-6));
  assert_string_equal("12.000001", number_text(12.000001));
  assert_string_equal("9007199254740992.0", number_text(9007199254740992.0));
  assert_string_equal("-12345678901234568.0",
                      number_text(-12345678901234567.0));
  assert_string_equal("1e+22", number_text(1e22));
}

static void brings_every_number_back(void **state) {
  (void)state;
  const double fixed[] = {5e-324,
                          1.7976931348623157e308,
                          0.1,
                          1e300,
                          1e-7,
                          0.1 + 0.2,
                          9007199254.740993,
                          9007199254740993.0};
  for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
    assert_true(strtod(number_text(fixed[i]), NULL) == fixed[i]);
  for (int i = 0; i < 100000; i++) {
    double number = ldexp((double)rand() / 7 + rand(), rand() % 120 - 60);
    const char *text = number_text(i % 2 ? number : -number);
    assert_true(fabs(strtod(text, NULL)) == number);
    assert_null(fh_json_check((fh_slice){text, strlen(text)},
                              &(fh_json_limits){1, 1, false}, NULL));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(writes_plain_strings),
      cmocka_unit_test(escapes_what_must_be),
      cmocka_unit_test(writes_numbers_shortly),
      cmocka_unit_test(brings_every_number_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
