/* Text of any length that a binding puts together: first in memory of its own,
 * then in a userdata on the Lua stack. So an error raised on the way leaks
 * nothing, and a finalizer that writes meanwhile has memory of its own. */
#ifndef FH_LUA_WRITER_H
#define FH_LUA_WRITER_H

#include "lua_support.h"

enum { FH_WRITER_SMALL = 8192 };

typedef struct fh_writer {
  lua_State *L;
  char *data;
  size_t size;
  size_t room;
  int slot; /* on the stack, where the userdata is kept */
  char small[FH_WRITER_SMALL];
} fh_writer;

/* An empty text; pushes the slot, which must stay where it is. */
void fh_writer_begin(fh_writer *w, lua_State *L);

/* Makes room for `size` more bytes, and as many again as there are then. */
void fh_writer_grow(fh_writer *w, size_t size);

/* Makes room for `size` more bytes alone: for a text whose size is known, so
 * that a long one leaves less to collect. */
void fh_writer_expect(fh_writer *w, size_t size);

/* Where `size` more bytes can be written; `w->size` is for the caller to move.
 * Raises where there is no memory, as do all that write. */
static inline char *fh_writer_reserve(fh_writer *w, size_t size) {
  if (size > w->room - w->size)
    fh_writer_grow(w, size);
  return w->data + w->size;
}

/* Adds one byte. */
static inline void fh_writer_put_byte(fh_writer *w, char c) {
  *fh_writer_reserve(w, 1) = c;
  w->size++;
}

/* Copies `size` bytes to the end. */
void fh_writer_put(fh_writer *w, const void *data, size_t size);

/* The number on top of the stack, in decimals; raises for one not finite. */
void fh_writer_put_number(fh_writer *w);

/* Pushes what was written as a string. */
void fh_writer_push(const fh_writer *w);

#endif
