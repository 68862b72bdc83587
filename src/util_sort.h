/* A sort that takes O(n log n) steps whatever the input, in place: what is
 * sorted here comes from strangers, who know the worst case of any quicksort.
 * It is not stable. Inlined, so that the comparison is too. */
#ifndef FH_UTIL_SORT_H
#define FH_UTIL_SORT_H

#include <stddef.h>
#include <string.h>

typedef int fh_compare(const void *a, const void *b);

enum {
  FH_SORT_SHORT = 16, /* up to here insertion is faster than a heap */
  FH_SORT_ITEM = 32,  /* the largest item, in bytes */
};

static inline void fh_sort_insertion(char *items, size_t count, size_t size,
                                     fh_compare *compare) {
  char moving[FH_SORT_ITEM];
  for (size_t i = 1; i < count; i++) {
    char *place = items + i * size;
    if (compare(place - size, place) <= 0)
      continue;
    memcpy(moving, place, size);
    do {
      memcpy(place, place - size, size);
      place -= size;
    } while (place > items && compare(place - size, moving) > 0);
    memcpy(place, moving, size);
  }
}

/* Lets `item` sink from `root` to where no child is greater. */
static inline void fh_sort_sink(char *items, size_t root, size_t count,
                                size_t size, fh_compare *compare,
                                const char *item) {
  for (size_t child; (child = 2 * root + 1) < count; root = child) {
    if (child + 1 < count &&
        compare(items + child * size, items + (child + 1) * size) < 0)
      child++;
    if (compare(item, items + child * size) >= 0)
      break;
    memcpy(items + root * size, items + child * size, size);
  }
  memcpy(items + root * size, item, size);
}

static inline void fh_sort_heap(char *items, size_t count, size_t size,
                                fh_compare *compare) {
  char moving[FH_SORT_ITEM];
  for (size_t root = count / 2; root-- > 0;) {
    memcpy(moving, items + root * size, size);
    fh_sort_sink(items, root, count, size, compare, moving);
  }
  for (size_t last = count; last-- > 1;) {
    memcpy(moving, items + last * size, size);
    memcpy(items + last * size, items, size);
    fh_sort_sink(items, 0, last, size, compare, moving);
  }
}

/* Sorts `count` items of `size` bytes, at most FH_SORT_ITEM each. */
static inline void fh_sort(void *items, size_t count, size_t size,
                           fh_compare *compare) {
  if (count <= FH_SORT_SHORT)
    fh_sort_insertion(items, count, size, compare);
  else
    fh_sort_heap(items, count, size, compare);
}

#endif
