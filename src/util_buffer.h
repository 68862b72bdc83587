/* A byte buffer that grows up to a cap given at creation. Every byte that
 * comes from the network passes through one of these or through memory of a
 * size known beforehand, so nothing a peer sends can make us allocate without
 * end.
 *
 * A failed append leaves the buffer as it was. The buffer owns its memory;
 * what is appended is copied. */
#ifndef FH_UTIL_BUFFER_H
#define FH_UTIL_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

typedef enum fh_buffer_status {
  FH_BUFFER_OK,
  FH_BUFFER_FULL,      /* the cap would be passed */
  FH_BUFFER_NO_MEMORY, /* malloc failed */
} fh_buffer_status;

typedef struct fh_buffer {
  char *data; /* NULL until the first byte; not ended by a NUL */
  size_t size;
  size_t capacity;
  size_t limit; /* the cap, in bytes */
} fh_buffer;

/* An empty buffer that will never hold more than `limit` bytes. Allocates
 * nothing. A zeroed fh_buffer is a valid buffer with no room at all. */
void fh_buffer_init(fh_buffer *buffer, size_t limit);

/* Copies `size` bytes to the end. */
fh_buffer_status fh_buffer_append(fh_buffer *buffer, const void *data,
                                  size_t size);

/* Drops the first `size` bytes, at most all of them. */
void fh_buffer_consume(fh_buffer *buffer, size_t size);

/* Empties the buffer and keeps its memory. */
void fh_buffer_clear(fh_buffer *buffer);

/* Releases the memory; the buffer is empty and usable again. Idempotent. */
void fh_buffer_free(fh_buffer *buffer);

#endif
