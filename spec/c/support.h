/* What C tests share, and the headers that cmocka wants before itself. */
#ifndef FH_SPEC_SUPPORT_H
#define FH_SPEC_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

/* A copy of `size` bytes that ends where an unreadable page begins: reading
 * one byte too far faults. Released with edge_free. */
static inline char *edge_copy(const char *bytes, size_t size) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  size_t body = (size + page - 1) / page * page;
  char *map = mmap(NULL, body + page, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  assert_true(map != MAP_FAILED);
  assert_int_equal(0, mprotect(map + body, page, PROT_NONE));
  char *copy = map + body - size;
  if (size > 0) {
    memcpy(copy, bytes, size);
  }
  return copy;
}

static inline void edge_free(char *copy, size_t size) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  size_t body = (size + page - 1) / page * page;
  assert_int_equal(0, munmap(copy + size - body, body + page));
}

/* The next of a series of numbers that is the same in every run. */
static inline uint32_t next_random(uint32_t *seed) {
  *seed ^= *seed << 13;
  *seed ^= *seed >> 17;
  *seed ^= *seed << 5;
  return *seed;
}

#endif
