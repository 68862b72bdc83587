/* Bytes that belong to someone else: where they begin and how many there are.
 * A slice never ends in a promised NUL, and NULL means that nothing came. */
#ifndef FH_UTIL_SLICE_H
#define FH_UTIL_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

typedef struct fh_slice {
  const char *data;
  size_t size;
} fh_slice;

/* The order of bytes; where one slice begins the other, the shorter is less.
 */
static inline int fh_slice_compare(fh_slice a, fh_slice b) {
  size_t common = a.size < b.size ? a.size : b.size;
  if (common > 0 && a.data[0] != b.data[0])
    return (unsigned char)a.data[0] < (unsigned char)b.data[0] ? -1 : 1;
  int order = common > 0 ? memcmp(a.data, b.data, common) : 0;
  return order ? order : (a.size > b.size) - (a.size < b.size);
}

static inline bool fh_slice_equal(fh_slice a, fh_slice b) {
  return a.size == b.size && (a.size == 0 || !memcmp(a.data, b.data, a.size));
}

#endif
