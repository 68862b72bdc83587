#include "http_alloc.h"

#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A sanitizer is to see the end of each block. */
#ifdef __SANITIZE_ADDRESS__
enum { MOST_BYTES = 0 };
#else
enum { MOST_BYTES = 512 * 1024 };
#endif

/* A class has the blocks with room for so many grains, and no more. The
 * largest are for libcurl's receive buffer as we set it, and its handles. */
enum { GRAIN = 16, CLASSES = 8192 / GRAIN + 2 };

typedef struct spare {
  struct spare *next;
} spare;

typedef struct store {
  size_t bytes;
  spare *kept[CLASSES];
} store;

static pthread_key_t key; /* of each thread's store */
static bool keeping;

static void empty(void *owner) {
  store *from = owner;
  for (size_t i = 0; i < CLASSES; i++)
    while (from->kept[i]) {
      spare *first = from->kept[i];
      from->kept[i] = first->next;
      free(first);
    }
  free(from);
}

void fh_wiped_init(void) {
  keeping = keeping || pthread_key_create(&key, empty) == 0;
}

static size_t class_for(size_t size) {
  return size > 0 ? (size - 1) / GRAIN + 1 : 1;
}

/* A wiped block, or NULL. */
static void *take(size_t class) {
  store *from = keeping ? pthread_getspecific(key) : NULL;
  if (!from || class >= CLASSES || !from->kept[class])
    return NULL;
  spare *first = from->kept[class];
  from->kept[class] = first->next;
  from->bytes -= class * GRAIN;
  first->next = NULL;
  return first;
}

static store *store_here(void) {
  if (!keeping)
    return NULL;
  store *here = pthread_getspecific(key);
  if (!here && (here = calloc(1, sizeof *here)) &&
      pthread_setspecific(key, here) != 0) {
    free(here);
    here = NULL;
  }
  return here;
}

static bool keep(void *wiped, size_t room) {
  size_t class = room / GRAIN;
  store *in = class < CLASSES ? store_here() : NULL;
  if (!in || in->bytes + class * GRAIN > MOST_BYTES)
    return false;
  spare *first = wiped;
  first->next = in->kept[class];
  in->kept[class] = first;
  in->bytes += class * GRAIN;
  return true;
}

void *fh_wiped_malloc(size_t size) {
  size_t class = class_for(size);
  void *kept = take(class);
  if (kept || class > SIZE_MAX / GRAIN)
    return kept;
  return malloc(class * GRAIN);
}

void *fh_wiped_calloc(size_t count, size_t size) {
  if (size > 0 && count > SIZE_MAX / size)
    return NULL;
  size_t class = class_for(count * size);
  void *kept = take(class);
  if (kept || class > SIZE_MAX / GRAIN)
    return kept;
  return calloc(class, GRAIN);
}

void fh_wiped_free(void *block) {
  if (!block)
    return;
  size_t room = malloc_usable_size(block);
  explicit_bzero(block, room);
  if (!keep(block, room))
    free(block);
}

/* The C library's realloc may move a block and leave what it held behind. */
void *fh_wiped_realloc(void *old, size_t size) {
  size_t had = old ? malloc_usable_size(old) : 0;
  if (old && size > 0 && size <= had && size >= had / 2)
    return old;
  void *block = fh_wiped_malloc(size);
  if (!block)
    return NULL;
  if (old)
    memcpy(block, old, had < size ? had : size);
  fh_wiped_free(old);
  return block;
}

char *fh_wiped_strdup(const char *text) {
  size_t size = strlen(text) + 1;
  char *copy = fh_wiped_malloc(size);
  return copy ? memcpy(copy, text, size) : NULL;
}
