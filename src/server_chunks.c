#include "server_chunks.h"

enum {
  DIGITS = 16,         /* of a size that fits into 64 bits */
  SMALL_CHUNKS = 1024, /* chunks after which their mean size matters */
  MEAN_CHUNK = 16,
};

static int digit_of(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool is_text(char c) {
  return (unsigned char)c >= ' ' ? c != 0x7f : c == '\t';
}

bool fh_chunks_are_tiny(size_t count, size_t bytes) {
  return count > SMALL_CHUNKS && bytes / count < MEAN_CHUNK;
}

static unsigned go_to(fh_chunks *chunks, fh_chunks_state next) {
  chunks->state = next;
  return 0;
}

static unsigned read_size(fh_chunks *chunks, char c) {
  int digit = digit_of(c);
  if (digit >= 0) {
    chunks->size = chunks->size << 4 | (unsigned)digit;
    return ++chunks->digits > DIGITS ? 413 : 0;
  }
  if (chunks->digits == 0 || (c != '\r' && c != ';'))
    return 400;
  return go_to(chunks, c == '\r' ? FH_CHUNKS_SIZE_END : FH_CHUNKS_EXTENSION);
}

/* The line of a size has ended. */
static unsigned begin_chunk(fh_chunks *chunks, const fh_buffer *body) {
  chunks->digits = 0;
  if (chunks->size == 0)
    return go_to(chunks, FH_CHUNKS_TRAILER);
  chunks->count++;
  if (fh_chunks_are_tiny(chunks->count, body->size))
    return 400;
  if (chunks->size > body->limit - body->size)
    return 413;
  return go_to(chunks, FH_CHUNKS_DATA);
}

static unsigned expect(fh_chunks *chunks, char c, char expected,
                       fh_chunks_state next) {
  return c == expected ? go_to(chunks, next) : 400;
}

static unsigned read_trailer(fh_chunks *chunks, char c) {
  switch (chunks->state) {
  case FH_CHUNKS_TRAILER:
    if (c == '\r')
      return go_to(chunks, FH_CHUNKS_LAST_END);
    return fh_head_token(c) ? go_to(chunks, FH_CHUNKS_NAME) : 400;
  case FH_CHUNKS_NAME:
    if (c == ':')
      return go_to(chunks, FH_CHUNKS_VALUE);
    return fh_head_token(c) ? 0 : 400;
  default:
    if (c == '\r')
      return go_to(chunks, FH_CHUNKS_VALUE_END);
    return is_text(c) ? 0 : 400;
  }
}

/* Reads a byte that is no data. */
static unsigned read_framing(fh_chunks *chunks, char c,
                             const fh_buffer *body) {
  switch (chunks->state) {
  case FH_CHUNKS_SIZE:
    return read_size(chunks, c);
  case FH_CHUNKS_EXTENSION:
    chunks->extra++;
    if (c == '\r')
      return go_to(chunks, FH_CHUNKS_SIZE_END);
    return is_text(c) ? 0 : 400;
  case FH_CHUNKS_SIZE_END:
    return c == '\n' ? begin_chunk(chunks, body) : 400;
  case FH_CHUNKS_DATA_CR:
    return expect(chunks, c, '\r', FH_CHUNKS_DATA_END);
  case FH_CHUNKS_DATA_END:
    return expect(chunks, c, '\n', FH_CHUNKS_SIZE);
  case FH_CHUNKS_VALUE_END:
    return expect(chunks, c, '\n', FH_CHUNKS_TRAILER);
  case FH_CHUNKS_LAST_END:
    return expect(chunks, c, '\n', FH_CHUNKS_DONE);
  default:
    chunks->extra++;
    return read_trailer(chunks, c);
  }
}

static size_t read_data(fh_chunks *chunks, const char *bytes, size_t size,
                        fh_buffer *body) {
  if (size > chunks->size)
    size = (size_t)chunks->size;
  if (fh_buffer_append(body, bytes, size) != FH_BUFFER_OK)
    return 0;
  chunks->size -= size;
  if (chunks->size == 0)
    chunks->state = FH_CHUNKS_DATA_CR;
  return size;
}

unsigned fh_chunks_read(fh_chunks *chunks, const fh_head_limits *limits,
                        const char *bytes, size_t size, fh_buffer *body,
                        size_t *used) {
  unsigned status = 0;
  size_t at = 0;
  while (at < size && chunks->state != FH_CHUNKS_DONE && status == 0) {
    if (chunks->state != FH_CHUNKS_DATA) {
      status = read_framing(chunks, bytes[at++], body);
      if (chunks->extra > limits->headers)
        status = 431;
    } else {
      size_t taken = read_data(chunks, bytes + at, size - at, body);
      status = taken == 0 ? 413 : 0; /* out of memory */
      at += taken;
    }
  }
  *used = at;
  return status;
}
