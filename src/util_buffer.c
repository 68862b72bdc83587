#include "util_buffer.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 256 };

void fh_buffer_init(fh_buffer *buffer, size_t limit) {
  *buffer = (fh_buffer){.limit = limit};
}

/* The capacity doubles, so that n bytes cost O(n) copies in all. */
static size_t grown(const fh_buffer *buffer, size_t needed) {
  size_t capacity = buffer->capacity ? buffer->capacity : FIRST_CAPACITY;
  while (capacity < needed && capacity <= buffer->limit / 2)
    capacity *= 2;
  if (capacity < needed || capacity > buffer->limit)
    capacity = buffer->limit;
  return capacity;
}

static fh_buffer_status make_room(fh_buffer *buffer, size_t size) {
  if (size > buffer->limit - buffer->size)
    return FH_BUFFER_FULL;
  size_t needed = buffer->size + size;
  if (needed <= buffer->capacity)
    return FH_BUFFER_OK;
  size_t capacity = grown(buffer, needed);
  char *data = realloc(buffer->data, capacity);
  if (!data)
    return FH_BUFFER_NO_MEMORY;
  buffer->data = data;
  buffer->capacity = capacity;
  return FH_BUFFER_OK;
}

fh_buffer_status fh_buffer_append(fh_buffer *buffer, const void *data,
                                  size_t size) {
  fh_buffer_status status = make_room(buffer, size);
  if (status == FH_BUFFER_OK && size > 0) {
    memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
  }
  return status;
}

void fh_buffer_consume(fh_buffer *buffer, size_t size) {
  if (size >= buffer->size) {
    buffer->size = 0;
    return;
  }
  buffer->size -= size;
  memmove(buffer->data, buffer->data + size, buffer->size);
}

void fh_buffer_clear(fh_buffer *buffer) {
  buffer->size = 0;
}

void fh_buffer_free(fh_buffer *buffer) {
  free(buffer->data);
  fh_buffer_init(buffer, buffer->limit);
}
