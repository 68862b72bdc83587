#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "util_buffer.h"

static void starts_empty_and_without_memory(void **state) {
  (void)state;
  fh_buffer buffer;
  fh_buffer_init(&buffer, 10);
  assert_null(buffer.data);
  assert_int_equal(buffer.size, 0);
  fh_buffer_free(&buffer);
}

static void keeps_what_is_appended(void **state) {
  (void)state;
  fh_buffer buffer;
  fh_buffer_init(&buffer, 1 << 20);
  char byte = 0;
  for (size_t i = 0; i < 100000; i++, byte++)
    assert_int_equal(fh_buffer_append(&buffer, &byte, 1), FH_BUFFER_OK);
  assert_int_equal(buffer.size, 100000);
  for (size_t i = 0; i < buffer.size; i++)
    assert_int_equal((unsigned char)buffer.data[i], i & 255);
  fh_buffer_free(&buffer);
}

static void stops_exactly_at_its_cap(void **state) {
  (void)state;
  static const char text[600];
  fh_buffer buffer;
  fh_buffer_init(&buffer, 600);
  assert_int_equal(fh_buffer_append(&buffer, text, 599), FH_BUFFER_OK);
  assert_int_equal(fh_buffer_append(&buffer, text, 2), FH_BUFFER_FULL);
  assert_int_equal(buffer.size, 599);
  assert_int_equal(fh_buffer_append(&buffer, text, 1), FH_BUFFER_OK);
  assert_int_equal(fh_buffer_append(&buffer, text, 0), FH_BUFFER_OK);
  assert_int_equal(fh_buffer_append(&buffer, text, 1), FH_BUFFER_FULL);
  assert_true(buffer.capacity <= 600);
  fh_buffer_free(&buffer);
}

static void refuses_sizes_that_would_wrap(void **state) {
  (void)state;
  fh_buffer buffer;
  fh_buffer_init(&buffer, 100);
  assert_int_equal(fh_buffer_append(&buffer, "x", 1), FH_BUFFER_OK);
  assert_int_equal(fh_buffer_append(&buffer, "x", SIZE_MAX), FH_BUFFER_FULL);
  assert_int_equal(buffer.size, 1);
  fh_buffer_free(&buffer);
}

static void a_zeroed_buffer_has_no_room(void **state) {
  (void)state;
  fh_buffer buffer = {0};
  assert_int_equal(fh_buffer_append(&buffer, "x", 1), FH_BUFFER_FULL);
  assert_int_equal(fh_buffer_append(&buffer, NULL, 0), FH_BUFFER_OK);
  fh_buffer_free(&buffer);
}

static void consume_drops_from_the_front(void **state) {
  (void)state;
  fh_buffer buffer;
  fh_buffer_init(&buffer, 100);
  assert_int_equal(fh_buffer_append(&buffer, "abcdef", 6), FH_BUFFER_OK);
  fh_buffer_consume(&buffer, 2);
  assert_int_equal(buffer.size, 4);
  assert_memory_equal(buffer.data, "cdef", 4);
  fh_buffer_consume(&buffer, 99);
  assert_int_equal(buffer.size, 0);
  assert_int_equal(fh_buffer_append(&buffer, "x", 1), FH_BUFFER_OK);
  assert_memory_equal(buffer.data, "x", 1);
  fh_buffer_free(&buffer);
}

static void clear_keeps_memory_and_free_is_idempotent(void **state) {
  (void)state;
  fh_buffer buffer;
  fh_buffer_init(&buffer, 100);
  assert_int_equal(fh_buffer_append(&buffer, "abc", 3), FH_BUFFER_OK);
  fh_buffer_clear(&buffer);
  assert_int_equal(buffer.size, 0);
  assert_non_null(buffer.data);
  fh_buffer_free(&buffer);
  fh_buffer_free(&buffer);
  assert_null(buffer.data);
  assert_int_equal(fh_buffer_append(&buffer, "abc", 3), FH_BUFFER_OK);
  fh_buffer_free(&buffer);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(starts_empty_and_without_memory),
      cmocka_unit_test(keeps_what_is_appended),
      cmocka_unit_test(stops_exactly_at_its_cap),
      cmocka_unit_test(refuses_sizes_that_would_wrap),
      cmocka_unit_test(a_zeroed_buffer_has_no_room),
      cmocka_unit_test(consume_drops_from_the_front),
      cmocka_unit_test(clear_keeps_memory_and_free_is_idempotent),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
