#include "support.h"

#include <stdlib.h>

#include "util_sql_text.h"

/* Writes into exactly the room that was announced, and checks the text. */
static void expect_literal(fh_slice bytes, const char *expected) {
  size_t room = fh_sql_literal_room(bytes);
  assert_int_equal(strlen(expected), room);
  char *out = malloc(room);
  assert_ptr_equal(out + room, fh_sql_put_literal(out, bytes, room));
  assert_memory_equal(expected, out, room);
  free(out);
}

static void quotes_text(void **state) {
  (void)state;
  expect_literal((fh_slice){NULL, 0}, "''");
  expect_literal((fh_slice){"a\"\\\n\xff", 5}, "'a\"\\\n\xff'");
  expect_literal((fh_slice){"it's", 4}, "'it''s'");
  expect_literal((fh_slice){"'", 1}, "''''");
  expect_literal((fh_slice){"'''", 3}, "''''''''");
}

static void writes_what_holds_a_nul_in_hex(void **state) {
  (void)state;
  expect_literal((fh_slice){"\0", 1}, "x'00'");
  expect_literal((fh_slice){"'\0\xfe", 3}, "x'2700fe'");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(quotes_text),
      cmocka_unit_test(writes_what_holds_a_nul_in_hex),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
