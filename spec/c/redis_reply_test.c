#include "support.h"

#include "redis_reply.h"

/* The verdict over bytes given at once, at a page's end, and one by one. */
static const char *verdict(const char *bytes, size_t size) {
  fh_resp at_once = {0}, singly = {0};
  char *copy = edge_copy(bytes, size);
  const char *wrong = fh_resp_check(&at_once, copy, size), *other = NULL;
  for (size_t i = 0; i < size && !other; i++)
    other = fh_resp_check(&singly, copy + i, 1);
  edge_free(copy, size);
  assert_ptr_equal(wrong, other);
  return wrong;
}

#define CHECK(bytes) verdict(bytes, sizeof bytes - 1)

static void takes_replies(void **state) {
  (void)state;
  assert_null(CHECK("+OK\r\n"));
  assert_null(CHECK("-ERR no\r\n:1\r\n$-1\r\n*-1\r\n*0\r\n"));
  assert_null(CHECK("$5\r\n*9\r\nx\r\n+OK\r\n"));
  assert_null(CHECK("*2\r\n*2\r\n:1\r\n$1\r\na\r\n:-7\r\n+OK\r\n"));
}

static void refuses_what_would_be_allocated(void **state) {
  (void)state;
  assert_non_null(CHECK("*-2\r\n"));
  assert_non_null(CHECK("*4294967297\r\n"));
  assert_non_null(CHECK("*1000000000\r\n"));
  assert_non_null(CHECK("*200001\r\n"));
  assert_non_null(CHECK("$-2\r\n"));
  assert_non_null(CHECK("$16777217\r\n"));
  assert_non_null(CHECK("$9223372036854775807\r\n"));
  assert_non_null(CHECK("$99999999999999999999999999999999\r\n"));
}

static void refuses_what_is_no_reply(void **state) {
  (void)state;
  assert_non_null(CHECK("\r\n"));
  assert_non_null(CHECK("HTTP/1.1 200 OK\r\n"));
  assert_non_null(CHECK("$\r\n"));
  assert_non_null(CHECK("$-\r\n"));
  assert_non_null(CHECK("*1 \r\n"));
  assert_non_null(CHECK("$0x1\r\n"));
}

/* hiredis 1.0 and newer refuse these in a status, 0.14 does not. */
static void refuses_broken_lines(void **state) {
  (void)state;
  assert_non_null(CHECK("+a\nb\r\n"));
  assert_non_null(CHECK("+a\rb\r\n"));
  assert_non_null(CHECK("+a\r\r\n"));
  assert_non_null(CHECK("$1\nx\r\n"));
}

/* hiredis 1.0 and newer would parse them. */
static void refuses_types_of_resp3(void **state) {
  (void)state;
  static const char *const replies[] = {
      ",1.5\r\n",        "_\r\n",   "#t\r\n",    "%1\r\n+a\r\n:1\r\n",
      "~1\r\n:1\r\n",    "(12\r\n", "!3\r\nERR", "|1\r\n+a\r\n:1\r\n+OK\r\n",
      "=5\r\ntxt:a\r\n", "$?\r\n",  "*?\r\n",    ">1\r\n+a\r\n",
  };
  for (size_t i = 0; i < sizeof replies / sizeof *replies; i++)
    assert_non_null(verdict(replies[i], strlen(replies[i])));
  assert_non_null(CHECK("*1\r\n%1\r\n+a\r\n:1\r\n"));
}

static void refuses_depth(void **state) {
  (void)state;
  /* Seven, and seven again beside those: one of them is no deeper. */
#define SIX "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n"
  assert_null(CHECK("*2\r\n" SIX ":1\r\n" SIX ":1\r\n*1\r\n" SIX ":1\r\n"));
  assert_non_null(CHECK("*1\r\n" SIX "*1\r\n"));
  assert_non_null(CHECK("*2\r\n:1\r\n" SIX "*1\r\n"));
  assert_non_null(CHECK("*2\r\n" SIX ":1\r\n" SIX "*1\r\n"));
  /* What holds nothing nests nothing. */
  assert_null(CHECK("*1\r\n" SIX "*0\r\n*1\r\n" SIX "*-1\r\n"));
}

static void refuses_a_reply_without_end(void **state) {
  (void)state;
  fh_resp resp = {0};
  assert_null(fh_resp_check(&resp, "*100\r\n", 6));
  const char *wrong = NULL;
  size_t taken = 0;
  for (; taken < 600 && !wrong; taken++) {
    resp.left[0] = 100;
    wrong = fh_resp_check(&resp, "$1048576\r\n", 10);
    resp.skip = 0; /* as if they had come */
  }
  assert_non_null(wrong);
  assert_int_equal(512, taken);
}

static void counts_elements_over_the_whole_reply(void **state) {
  (void)state;
  assert_non_null(CHECK("*150000\r\n*150000\r\n"));
  assert_null(CHECK("*1\r\n*150000\r\n"));
  /* A reply that has ended frees its share. */
  fh_resp resp = {0};
  for (int i = 0; i < 500000; i++)
    assert_null(fh_resp_check(&resp, "*1\r\n:1\r\n", 8));
}

static void refuses_a_line_without_end(void **state) {
  (void)state;
  fh_resp resp = {0};
  const char *wrong = NULL;
  for (int i = 0; i < FH_RESP_MAX_LINE && !wrong; i++)
    wrong = fh_resp_check(&resp, "-", 1);
  assert_null(wrong);
  assert_non_null(fh_resp_check(&resp, "-", 1));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(takes_replies),
      cmocka_unit_test(refuses_what_would_be_allocated),
      cmocka_unit_test(refuses_what_is_no_reply),
      cmocka_unit_test(refuses_broken_lines),
      cmocka_unit_test(refuses_types_of_resp3),
      cmocka_unit_test(refuses_depth),
      cmocka_unit_test(refuses_a_reply_without_end),
      cmocka_unit_test(counts_elements_over_the_whole_reply),
      cmocka_unit_test(refuses_a_line_without_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
