#include "support.h"

#include "util_form.h"

static const fh_form_limits wide = {1000, 1000, 100000};

/* The parse of a text, spelt out: name=value| for each field, or the status.
 * Text, fields and scratch each end where a page ends. */
static const char *spelt(const char *text, size_t size,
                         const fh_form_limits *limits) {
  static char out[4096];
  size_t at = 0, count;
  char *bytes = edge_copy(text, size);
  fh_slice slice = {bytes, size};
  size_t room = fh_form_room(slice, limits) * sizeof(fh_field);
  char *zeroes = calloc(1, room + size + 1);
  char *fields = edge_copy(zeroes, room), *scratch = edge_copy(zeroes, size);
  fh_form_status status = fh_form_parse(
      slice, limits, (fh_field *)(void *)fields, scratch, &count);
  const fh_field *field = (const fh_field *)(const void *)fields;
  for (size_t i = 0; status == FH_FORM_OK && i < count; i++, field++) {
    memcpy(out + at, field->name.data, field->name.size);
    out[at += field->name.size] = '=';
    memcpy(out + at + 1, field->value.data, field->value.size);
    out[at += field->value.size + 1] = '|';
    at++;
  }
  out[at] = '\0';
  edge_free(bytes, size);
  edge_free(fields, room);
  edge_free(scratch, size);
  free(zeroes);
  return status == FH_FORM_OK          ? out
         : status == FH_FORM_MALFORMED ? "malformed"
                                       : "too large";
}

#define PARSES(expected, text)                                                \
  assert_string_equal(expected, spelt(text, sizeof(text) - 1, &wide))

static void splits_into_fields(void **state) {
  (void)state;
  PARSES("", "");
  PARSES("a=1|b=2|", "a=1&b=2");
  PARSES("a=|", "a");
  PARSES("a=|", "a=");
  PARSES("a==b|", "a==b");
  PARSES("=a|", "=a");
  PARSES("=|", "=");
  PARSES("a=1|b=2|", "&&a=1&&b=2&&");
  PARSES("", "&&&");
  PARSES("a=2|a=1|a=2|", "a=2&a=1&a=2");
  PARSES(" a = b |", " a = b ");
}

static void decodes_bytes(void **state) {
  (void)state;
  PARSES("a= |", "a=+");
  PARSES("a=+|", "a=%2B");
  PARSES("a= |", "a=%20");
  PARSES("AccountSid=x|", "%41ccountSid=x");
  PARSES("a&b=c=d|", "a%26b=c%3Dd");
  PARSES("a=xAy|b=z|", "a=x%41y&b=z");
  PARSES("a=\xff\xfe|", "a=%ff%FE");
  PARSES("a=\xc0\xaf\x80|", "a=%c0%af\x80");
  PARSES("\xef\xbb\xbf"
         "a=b|",
         "\xef\xbb\xbf"
         "a=b");
}

static void refuses_bad_escapes(void **state) {
  (void)state;
  static const char *const bad[] = {"a=%",    "a=%4",   "a=%zz", "a=%G0",
                                    "a=%0G",  "a=%%41", "%",     "%4=x",
                                    "a=%&b=", "a=%4&b", "a=% 1", "a=%+1"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_string_equal("malformed", spelt(bad[i], strlen(bad[i]), &wide));
}

static void refuses_a_nul_in_a_name_only(void **state) {
  (void)state;
  PARSES("malformed", "%00=x");
  PARSES("malformed", "a%00b=x");
  PARSES("malformed", "a\0b=x");
  PARSES("malformed", "x=1&\0");
  static const char text[] = "a=\0x%00";
  fh_field field;
  char scratch[sizeof text];
  size_t count;
  assert_int_equal(FH_FORM_OK, fh_form_parse((fh_slice){text, sizeof text - 1},
                                             &wide, &field, scratch, &count));
  assert_int_equal(3, field.value.size);
  assert_memory_equal("\0x\0", field.value.data, 3);
}

static void keeps_its_caps_and_cuts_nothing(void **state) {
  (void)state;
  const fh_form_limits limits = {2, 3, 4};
  assert_string_equal("abc=1234|b=|", spelt("abc=1234&b", 10, &limits));
  assert_string_equal("too large", spelt("abcd=1", 6, &limits));
  assert_string_equal("too large", spelt("a=12345", 7, &limits));
  assert_string_equal("too large", spelt("a&b&c", 5, &limits));
  assert_string_equal("a=|b=|", spelt("a&&&&b&&&", 9, &limits));
  assert_string_equal("a=    |", spelt("a=%20%20%20%20", 14, &limits));
  const fh_form_limits none = {0, 3, 4};
  assert_string_equal("too large", spelt("a", 1, &none));
  assert_string_equal("", spelt("", 0, &none));
}

static void too_large_comes_before_malformed(void **state) {
  (void)state;
  const fh_form_limits limits = {2, 3, 4};
  assert_string_equal("malformed", spelt("a=%&b=1", 7, &limits));
  assert_string_equal("too large", spelt("a=%&b=1&c", 9, &limits));
  assert_string_equal("too large", spelt("a=%&b=12345", 11, &limits));
  assert_string_equal("too large", spelt("\0=%&abcd=1", 10, &limits));
}

/* --- any bytes ----------------------------------------------------------- */

/* Decoded fields never hold more than the text did, and encoding them again
 * gives a text that parses alike. */
static void check_any(const char *text, size_t size) {
  char *bytes = edge_copy(text, size), *scratch = edge_copy(text, size);
  fh_slice slice = {bytes, size};
  fh_field fields[64], again[64];
  char encoded[1024], decoded[1024], *end = encoded;
  size_t count, sum = 0, recount;
  if (fh_form_parse(slice, &wide, fields, scratch, &count) == FH_FORM_OK) {
    for (size_t i = 0; i < count; i++) {
      size_t room = fh_form_encoded_room(fields[i]);
      char *begin = end;
      sum += fields[i].name.size + fields[i].value.size;
      end = fh_form_encode(end, fields[i], i == 0);
      assert_true((size_t)(end - begin) <= room);
    }
    assert_true(sum <= size);
    fh_slice second = {encoded, (size_t)(end - encoded)};
    assert_int_equal(FH_FORM_OK,
                     fh_form_parse(second, &wide, again, decoded, &recount));
    assert_int_equal(count, recount);
    for (size_t i = 0; i < count; i++) {
      assert_true(fh_slice_equal(fields[i].name, again[i].name));
      assert_true(fh_slice_equal(fields[i].value, again[i].value));
    }
  }
  edge_free(bytes, size);
  edge_free(scratch, size);
}

static void reads_any_bytes(void **state) {
  (void)state;
  static const char alphabet[] = "&&==%%++04aAfF\0\xff zZ";
  uint32_t seed = 2463534242u;
  for (int round = 0; round < 20000; round++) {
    char text[64];
    size_t size = next_random(&seed) % sizeof text;
    for (size_t i = 0; i < size; i++)
      text[i] = alphabet[next_random(&seed) % (sizeof alphabet - 1)];
    check_any(text, size);
  }
}

/* --- encoding and order -------------------------------------------------- */

static void encodes_every_byte(void **state) {
  (void)state;
  char all[256], encoded[800];
  for (int i = 0; i < 256; i++)
    all[i] = (char)i;
  char *end =
      fh_form_encode(encoded, (fh_field){{"a b", 3}, {all, 256}}, true);
  fh_field field;
  char scratch[800];
  size_t count;
  assert_memory_equal("a+b=%00%01", encoded, 10);
  assert_int_equal(FH_FORM_OK,
                   fh_form_parse((fh_slice){encoded, (size_t)(end - encoded)},
                                 &wide, &field, scratch, &count));
  assert_int_equal(256, field.value.size);
  assert_memory_equal(all, field.value.data, 256);
}

static fh_field field_of(const char *name, const char *value) {
  return (fh_field){{name, strlen(name)}, {value, strlen(value)}};
}

static void sorts_names_then_values_and_drops_repeats(void **state) {
  (void)state;
  fh_field fields[] = {
      field_of("b", "2"),    field_of("Ab", "x"), field_of("a", "2"),
      field_of("A", "zz"),   field_of("a", "10"), field_of("b", "2"),
      field_of("\xff", "1"), field_of("a", ""),   field_of("", "e"),
      field_of("A", "zz"),
  };
  static const char *const expected[] = {"e",  "zz", "x", "",
                                         "10", "2",  "2", "1"};
  assert_int_equal(8, fh_form_sort(fields, 10));
  for (size_t i = 0; i < 8; i++) {
    assert_int_equal(strlen(expected[i]), fields[i].value.size);
    assert_memory_equal(expected[i], fields[i].value.data,
                        fields[i].value.size);
  }
}

enum { MANY = 1000, LONG = 120 };

static void check_sorted(fh_field *fields, size_t count) {
  assert_int_equal(count, fh_form_sort(fields, count));
  for (size_t i = 1; i < count; i++)
    assert_true(fh_slice_compare(fields[i - 1].name, fields[i].name) < 0);
}

static void sorts_the_worst_orders(void **state) {
  (void)state;
  static char names[MANY][LONG + 4];
  fh_field fields[MANY];
  uint32_t seed = 88172645u;
  for (int order = 0; order < 4; order++) {
    for (size_t i = 0; i < MANY; i++) {
      size_t number = order == 0 ? i : MANY - 1 - i;
      if (order == 2)
        number = i % 2 ? i : MANY - 2 - i;
      if (order == 3)
        number = i; /* shuffled below */
      memset(names[i], 'p', LONG);
      names[i][LONG] = (char)('0' + number / 100);
      names[i][LONG + 1] = (char)('0' + number / 10 % 10);
      names[i][LONG + 2] = (char)('0' + number % 10);
      fields[i] = (fh_field){{names[i], LONG + 3}, {"", 0}};
    }
    for (size_t i = MANY - 1; order == 3 && i > 0; i--) {
      size_t k = next_random(&seed) % (i + 1);
      fh_field other = fields[k];
      fields[k] = fields[i];
      fields[i] = other;
    }
    check_sorted(fields, MANY);
  }
}

static void sorts_every_short_length(void **state) {
  (void)state;
  uint32_t seed = 12345u;
  char names[40][2];
  for (size_t count = 0; count < 40; count++) {
    fh_field fields[40];
    for (size_t i = 0; i < count; i++) {
      names[i][0] = (char)next_random(&seed);
      names[i][1] = (char)i;
      fields[i] = (fh_field){{names[i], 2}, {"", 0}};
    }
    check_sorted(fields, count);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(splits_into_fields),
      cmocka_unit_test(decodes_bytes),
      cmocka_unit_test(refuses_bad_escapes),
      cmocka_unit_test(refuses_a_nul_in_a_name_only),
      cmocka_unit_test(keeps_its_caps_and_cuts_nothing),
      cmocka_unit_test(too_large_comes_before_malformed),
      cmocka_unit_test(reads_any_bytes),
      cmocka_unit_test(encodes_every_byte),
      cmocka_unit_test(sorts_names_then_values_and_drops_repeats),
      cmocka_unit_test(sorts_the_worst_orders),
      cmocka_unit_test(sorts_every_short_length),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
