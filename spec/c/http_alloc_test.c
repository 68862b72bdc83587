#include "support.h"

#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>

#include "http_alloc.h"

/* The C library keeps the first words of a free block for itself; what is
 * behind them is ours. */
enum { SIZE = 200, KEPT_BY_LIBC = 32 };

/* Memory that was given back is none of ours to read; the kernel may. */
static void expect_wiped(uintptr_t place, size_t size) {
  char bytes[SIZE];
  assert_true(size <= sizeof bytes);
  int memory = open("/proc/self/mem", O_RDONLY);
  assert_true(memory >= 0);
  assert_int_equal(size, pread(memory, bytes, size, (off_t)place));
  close(memory);
  for (size_t i = KEPT_BY_LIBC; i < size; i++)
    assert_int_equal(0, bytes[i]);
}

static void a_freed_block_holds_nothing(void **state) {
  (void)state;
  char *block = fh_wiped_malloc(SIZE);
  assert_non_null(block);
  memset(block, 's', SIZE);
  uintptr_t place = (uintptr_t)block;
  fh_wiped_free(block);
  expect_wiped(place, SIZE);
  fh_wiped_free(NULL);
}

static void a_block_that_moves_leaves_nothing(void **state) {
  (void)state;
  char *block = fh_wiped_realloc(NULL, SIZE);
  assert_non_null(block);
  memset(block, 's', SIZE);
  uintptr_t place = (uintptr_t)block;
  char *moved = fh_wiped_realloc(block, 100 * SIZE);
  assert_non_null(moved);
  for (size_t i = 0; i < SIZE; i++)
    assert_int_equal('s', moved[i]);
  expect_wiped(place, SIZE);
  char *smaller = fh_wiped_realloc(moved, SIZE);
  assert_non_null(smaller);
  for (size_t i = 0; i < SIZE; i++)
    assert_int_equal('s', smaller[i]);
  fh_wiped_free(smaller);
}

static void the_rest_is_as_ever(void **state) {
  (void)state;
  char *copy = fh_wiped_strdup("text");
  assert_string_equal("text", copy);
  fh_wiped_free(copy);
  char *zeros = fh_wiped_calloc(3, 5);
  for (size_t i = 0; i < 15; i++)
    assert_int_equal(0, zeros[i]);
  fh_wiped_free(zeros);
}

static void no_size_is_too_small_or_too_large(void **state) {
  (void)state;
  for (size_t size = 0; size < 5000; size++) {
    char *block = fh_wiped_malloc(size);
    assert_non_null(block);
    memset(block, 's', size);
    fh_wiped_free(block);
    char *zeros = fh_wiped_calloc(1, size);
    assert_non_null(zeros);
    assert_true(malloc_usable_size(zeros) >= size);
    for (size_t i = 0; i < size; i++)
      assert_int_equal(0, zeros[i]);
    fh_wiped_free(zeros);
  }
  volatile size_t most = SIZE_MAX;
  assert_null(fh_wiped_malloc(most));
  assert_null(fh_wiped_calloc(most / 2, 3));
  assert_null(fh_wiped_calloc(most, 1));
  assert_null(fh_wiped_realloc(NULL, most));
}

static void takes_blocks_of_the_c_library(void **state) {
  (void)state;
  char *block = malloc(SIZE);
  memset(block, 's', SIZE);
  fh_wiped_free(block);
  char *copy = fh_wiped_strdup("text");
  free(copy);
}

/* More than is kept of one size; valgrind tells of what is lost. */
static void *use_many(void *unused) {
  enum { MANY = 1000, LARGE = 3000 };
  static __thread void *blocks[MANY];
  for (int round = 0; round < 2; round++) {
    for (size_t i = 0; i < MANY; i++)
      blocks[i] = memset(fh_wiped_malloc(LARGE), 's', LARGE);
    for (size_t i = 0; i < MANY; i++)
      fh_wiped_free(blocks[i]);
  }
  return unused;
}

static void a_thread_takes_its_own_and_leaves_nothing(void **state) {
  (void)state;
  pthread_t thread;
  size_t before = mallinfo2().uordblks;
  assert_int_equal(0, pthread_create(&thread, NULL, use_many, NULL));
  assert_int_equal(0, pthread_join(thread, NULL));
  assert_true(mallinfo2().uordblks - before < 65536);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_freed_block_holds_nothing),
      cmocka_unit_test(a_block_that_moves_leaves_nothing),
      cmocka_unit_test(the_rest_is_as_ever),
      cmocka_unit_test(no_size_is_too_small_or_too_large),
      cmocka_unit_test(takes_blocks_of_the_c_library),
      cmocka_unit_test(a_thread_takes_its_own_and_leaves_nothing),
  };
  fh_wiped_init();
  return cmocka_run_group_tests(tests, NULL, NULL);
}
