/* The chunked coding of a body (RFC 9112, 7.1), read strictly: each line ends
 * in CRLF, a size is plain hexadecimal, a trailer is a header. Bytes come in
 * pieces of any size; nothing is kept but the data. */
#ifndef FH_SERVER_CHUNKS_H
#define FH_SERVER_CHUNKS_H

#include "util_buffer.h"
#include "server_head.h"

typedef enum fh_chunks_state {
  FH_CHUNKS_SIZE, /* begins zeroed */
  FH_CHUNKS_EXTENSION,
  FH_CHUNKS_SIZE_END, /* behind its CR, as each state with this ending */
  FH_CHUNKS_DATA,
  FH_CHUNKS_DATA_CR,
  FH_CHUNKS_DATA_END,
  FH_CHUNKS_TRAILER, /* at the start of a line */
  FH_CHUNKS_NAME,
  FH_CHUNKS_VALUE,
  FH_CHUNKS_VALUE_END,
  FH_CHUNKS_LAST_END,
  FH_CHUNKS_DONE,
} fh_chunks_state;

typedef struct fh_chunks {
  fh_chunks_state state;
  uint64_t size; /* of the chunk, as far as it is read; then what is left */
  size_t digits;
  size_t count; /* chunks with data */
  size_t extra; /* bytes of extensions and trailers */
} fh_chunks;

/* Reads `size` bytes, or as many as there are up to the body's end, and
 * appends the data to `body`. `*used` is how many were read. Returns an HTTP
 * status to refuse with, or 0. */
unsigned fh_chunks_read(fh_chunks *chunks, const fh_head_limits *limits,
                        const char *bytes, size_t size, fh_buffer *body,
                        size_t *used);

/* Are so many chunks, with so many bytes in them, made to cost work? */
bool fh_chunks_are_tiny(size_t count, size_t bytes);

#endif
