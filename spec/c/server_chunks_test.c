#include "support.h"

#include <stdio.h>

#include "server_chunks.h"

enum { LIMIT = 1000 };

static const fh_head_limits limits = {
    .line = 100, .field = 100, .headers = 60, .count = 5, .body = LIMIT};

typedef struct outcome {
  unsigned status;
  bool done;
  size_t used; /* of all bytes */
  fh_buffer body;
} outcome;

/* Reads the bytes in pieces of `step`, each at a page's end. */
static outcome read_in(const char *bytes, size_t size, size_t step) {
  outcome o = {0};
  fh_chunks chunks = {0};
  fh_buffer_init(&o.body, LIMIT);
  for (size_t at = 0; at < size && !o.done && !o.status; at += step) {
    size_t used, piece = at + step < size ? step : size - at;
    char *copy = edge_copy(bytes + at, piece);
    o.status = fh_chunks_read(&chunks, &limits, copy, piece, &o.body, &used);
    o.done = chunks.state == FH_CHUNKS_DONE;
    o.used += used;
    assert_true(o.done || o.status || used == piece);
    edge_free(copy, piece);
  }
  return o;
}

static void expect(const char *bytes, size_t size, unsigned status, bool done,
                   const char *body) {
  for (size_t step = 1; step <= size; step++) {
    outcome o = read_in(bytes, size, step);
    if (o.status != status || o.done != done)
      fail_msg("%u, %d in steps of %zu: %s", o.status, o.done, step, bytes);
    if (body) {
      assert_int_equal(strlen(body), o.body.size);
      assert_memory_equal(body, o.body.data, o.body.size);
    }
    fh_buffer_free(&o.body);
  }
}

#define DONE(bytes, body) expect(bytes, sizeof(bytes) - 1, 0, true, body)
#define MORE(bytes)       expect(bytes, sizeof(bytes) - 1, 0, false, NULL)
#define BAD(status, bytes)                                                    \
  expect(bytes, sizeof(bytes) - 1, status, false, NULL)

static void reads_chunks_in_pieces_of_any_size(void **state) {
  (void)state;
  DONE("0\r\n\r\n", "");
  DONE("5\r\nhello\r\n0\r\n\r\n", "hello");
  DONE("5\r\nhello\r\n00A\r\n, my world\r\n0\r\n\r\n", "hello, my world");
  DONE("5;a=b;c=\"d e\"\r\nhello\r\n0;x\r\n\r\n", "hello");
  DONE("5\r\nhello\r\n0\r\na: b\r\nc:\r\n\r\n", "hello");
  DONE("4\r\n\r\n0\n\r\n0\r\n\r\n", "\r\n0\n");
}

static void leaves_what_follows_the_end(void **state) {
  (void)state;
  static const char bytes[] = "1\r\na\r\n0\r\n\r\nGET / HTTP/1.1\r\n";
  outcome o = read_in(bytes, sizeof bytes - 1, sizeof bytes);
  assert_true(o.done);
  assert_int_equal(11, o.used);
  fh_buffer_free(&o.body);
}

static void waits_for_the_end(void **state) {
  (void)state;
  MORE("5");
  MORE("5\r\nhell");
  MORE("5\r\nhello\r\n");
  MORE("5\r\nhello\r\n0\r\n");
  MORE("5\r\nhello\r\n0\r\na: b\r\n\r");
}

static void has_one_reading_of_each_line(void **state) {
  (void)state;
  BAD(400, "5\nhello\r\n");
  BAD(400, "5\r\nhello\n0\r\n");
  BAD(400, "5\rhello");
  BAD(400, "5;a\nhello");
  BAD(400, "5;a\rb\r\nhello");
  BAD(400, "5;a\0\r\nhello");
  BAD(400, "0\n");
  BAD(400, "0\r\n\n");
  BAD(400, "0\r\na: b\n");
  BAD(400, "0\r\na: b\r\n c\r\n");
  BAD(400, "0\r\na\r\n");
  BAD(400, "0\r\n: b\r\n");
  BAD(400, "0\r\na : b\r\n");
  BAD(400, "0\r\na: \1\r\n");
}

static void sizes_are_plain_hexadecimal(void **state) {
  (void)state;
  BAD(400, "\r\n");
  BAD(400, ";a\r\n");
  BAD(400, "g\r\n");
  BAD(400, "+5\r\n");
  BAD(400, "-5\r\n");
  BAD(400, " 5\r\n");
  BAD(400, "5 \r\n");
  BAD(400, "5 ;a\r\n");
  BAD(400, "0x5\r\n");
  BAD(413, "ffffffffffffffff\r\n");
  BAD(413, "fffffffffffffffff\r\n");
  BAD(413, "00000000000000001\r\n");
}

static void every_byte_has_a_cap(void **state) {
  (void)state;
  char bytes[4000];
  BAD(413, "3e9\r\n");
  memset(bytes, 'x', sizeof bytes);
  memcpy(bytes, "1;", 2);
  expect(bytes, 100, 431, false, NULL);
  memcpy(bytes, "0\r\nx:", 5);
  expect(bytes, 100, 431, false, NULL);
  size_t size = 0;
  for (int i = 0; i < 5; i++) /* over all chunks */
    size += (size_t)snprintf(bytes + size, sizeof bytes - size,
                             "1;0123456789ab\r\na\r\n");
  expect(bytes, size, 431, false, NULL);
}

static void tiny_chunks_are_refused(void **state) {
  (void)state;
  fh_chunks chunks = {0};
  fh_buffer body;
  unsigned status = 0;
  size_t used, count = 0;
  fh_buffer_init(&body, 1 << 20);
  for (; status == 0 && count < 5000; count++)
    status = fh_chunks_read(&chunks, &limits, "1\r\na\r\n", 6, &body, &used);
  assert_int_equal(400, status);
  assert_int_equal(1025, count);
  fh_buffer_free(&body);
  assert_false(fh_chunks_are_tiny(1024, 1));
  assert_false(fh_chunks_are_tiny(2000, 32000));
  assert_true(fh_chunks_are_tiny(2000, 31999));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_chunks_in_pieces_of_any_size),
      cmocka_unit_test(leaves_what_follows_the_end),
      cmocka_unit_test(waits_for_the_end),
      cmocka_unit_test(has_one_reading_of_each_line),
      cmocka_unit_test(sizes_are_plain_hexadecimal),
      cmocka_unit_test(every_byte_has_a_cap),
      cmocka_unit_test(tiny_chunks_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
