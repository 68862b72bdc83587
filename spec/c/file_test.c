#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support.h"

#include "file.h"

static const unsigned char nothing[FH_FILE_ID_SIZE];

static int make_file(char *path) {
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  return fd;
}

static void tells_files_apart(void **state) {
  (void)state;
  char first[] = "/tmp/fh_file_XXXXXX", second[] = "/tmp/fh_file_XXXXXX";
  unsigned char before[FH_FILE_ID_SIZE], after[FH_FILE_ID_SIZE];
  int one = make_file(first), other = make_file(second);
  fh_file_id(first, before);
  fh_file_id(second, after);
  assert_memory_not_equal(before, after, sizeof before);
  assert_memory_not_equal(before, nothing, sizeof before);
  assert_int_equal(0, rename(second, first));
  fh_file_id(first, before);
  assert_memory_equal(before, after, sizeof before);
  assert_int_equal(0, unlink(first));
  close(one);
  close(other);
}

static void has_none_for_what_is_not_there(void **state) {
  (void)state;
  unsigned char id[FH_FILE_ID_SIZE] = {1};
  fh_file_id("/no/such/file", id);
  assert_memory_equal(id, nothing, sizeof id);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(tells_files_apart),
      cmocka_unit_test(has_none_for_what_is_not_there),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
