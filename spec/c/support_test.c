#include "support.h"

#include <signal.h>
#include <sys/wait.h>

static void reads_what_was_copied(void **state) {
  (void)state;
  char *copy = edge_copy("abc", 3);
  assert_memory_equal(copy, "abc", 3);
  edge_free(copy, 3);
  edge_free(edge_copy("", 0), 0);
}

static void faults_one_byte_too_far(void **state) {
  (void)state;
  pid_t child = fork();
  if (child == 0) {
    signal(SIGSEGV, SIG_DFL);
    volatile char *copy = edge_copy("abc", 3);
    _exit(copy[3]);
  }
  int status = 0;
  assert_int_equal(child, waitpid(child, &status, 0));
  assert_true(WIFSIGNALED(status));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_what_was_copied),
      cmocka_unit_test(faults_one_byte_too_far),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
