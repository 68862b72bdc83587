#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

#include "util_file.h"

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

static void has_one_name(void **state) {
  (void)state;
  char real[FH_PATH_SIZE], expected[FH_PATH_SIZE];
  assert_true(fh_real_path("/tmp/../tmp/./fh none", real));
  assert_non_null(realpath("/tmp", expected));
  assert_memory_equal(expected, real, strlen(expected));
  assert_string_equal("/fh none", real + strlen(expected));
  assert_true(fh_real_path("/fh none", real));
  assert_string_equal("/fh none", real);
  assert_false(fh_real_path("/no/such/file", real));
}

static const char *in(const char *folder, const char *name) {
  static char path[2 * FH_PATH_SIZE];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

static void follows_links_to_what_is_not_there(void **state) {
  (void)state;
  static const char *const good[] = {"one", "two", "three"};
  static const char *const bad[] = {"lost", "round"};
  char folder[] = "/tmp/fh_file_XXXXXX", real[FH_PATH_SIZE];
  char expected[FH_PATH_SIZE];
  assert_non_null(mkdtemp(folder));
  assert_non_null(realpath(folder, expected));
  assert_int_equal(0, symlink("none", in(folder, "one")));
  assert_int_equal(0, symlink("./one", in(folder, "two")));
  assert_int_equal(0, symlink("no/such", in(folder, "lost")));
  assert_int_equal(0, symlink("round", in(folder, "round")));
  memcpy(real, in(folder, "two"), FH_PATH_SIZE);
  assert_int_equal(0, symlink(real, in(folder, "three")));
  for (size_t i = 0; i < 3; i++) {
    assert_true(fh_real_path(in(folder, good[i]), real));
    assert_string_equal(in(expected, "none"), real);
  }
  for (size_t i = 0; i < 2; i++)
    assert_false(fh_real_path(in(folder, bad[i]), real));
  for (size_t i = 0; i < 3; i++)
    assert_int_equal(0, unlink(in(folder, good[i])));
  for (size_t i = 0; i < 2; i++)
    assert_int_equal(0, unlink(in(folder, bad[i])));
  assert_int_equal(0, rmdir(folder));
}

static void refuses_names_that_are_too_long(void **state) {
  (void)state;
  char real[FH_PATH_SIZE];
  static char path[2 * FH_PATH_SIZE];
  memset(path, 'x', sizeof path - 1);
  assert_false(fh_real_path(path, real));
  memset(path, '/', FH_PATH_SIZE + 1);
  assert_false(fh_real_path(path, real));
}

static void reads_a_file_up_to_the_room_there_is(void **state) {
  (void)state;
  char path[] = "/tmp/fh_file_XXXXXX", bytes[8];
  size_t size;
  unsigned mode;
  int fd = make_file(path);
  assert_int_equal(5, write(fd, "a\0b\nc", 5));
  assert_int_equal(0, fchmod(fd, 0640));
  close(fd);
  assert_true(fh_file_read(path, bytes, sizeof bytes, &size, &mode));
  assert_int_equal(5, size);
  assert_memory_equal("a\0b\nc", bytes, 5);
  assert_int_equal(0640, mode);
  assert_true(fh_file_read(path, bytes, 2, &size, &mode));
  assert_int_equal(2, size);
  assert_int_equal(0, unlink(path));
  assert_false(fh_file_read(path, bytes, sizeof bytes, &size, &mode));
  assert_int_equal(ENOENT, errno);
  assert_false(fh_file_read("/", bytes, sizeof bytes, &size, &mode));
  assert_int_equal(EISDIR, errno);
}

static void counts_the_names_of_a_file(void **state) {
  (void)state;
  char first[] = "/tmp/fh_file_XXXXXX", second[] = "/tmp/fh_file_XXXXXX";
  close(make_file(first));
  close(make_file(second));
  assert_int_equal(1, fh_file_links(first));
  assert_int_equal(0, unlink(second));
  assert_int_equal(0, fh_file_links(second));
  assert_int_equal(0, link(first, second));
  assert_int_equal(2, fh_file_links(second));
  assert_int_equal(0, unlink(first));
  assert_int_equal(0, unlink(second));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(tells_files_apart),
      cmocka_unit_test(has_none_for_what_is_not_there),
      cmocka_unit_test(counts_the_names_of_a_file),
      cmocka_unit_test(has_one_name),
      cmocka_unit_test(follows_links_to_what_is_not_there),
      cmocka_unit_test(refuses_names_that_are_too_long),
      cmocka_unit_test(reads_a_file_up_to_the_room_there_is),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
