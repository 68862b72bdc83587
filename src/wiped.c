#include "wiped.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

void *fh_wiped_malloc(size_t size) {
  return malloc(size);
}

void *fh_wiped_calloc(size_t count, size_t size) {
  return calloc(count, size);
}

void fh_wiped_free(void *block) {
  if (!block)
    return;
  explicit_bzero(block, malloc_usable_size(block));
  free(block);
}

/* The C library's realloc may move a block and leave what it held behind. */
void *fh_wiped_realloc(void *old, size_t size) {
  size_t had = old ? malloc_usable_size(old) : 0;
  if (old && size > 0 && size <= had && size >= had / 2)
    return old;
  void *block = malloc(size);
  if (!block)
    return NULL;
  if (old)
    memcpy(block, old, had < size ? had : size);
  fh_wiped_free(old);
  return block;
}

char *fh_wiped_strdup(const char *text) {
  size_t size = strlen(text) + 1;
  char *copy = malloc(size);
  return copy ? memcpy(copy, text, size) : NULL;
}
