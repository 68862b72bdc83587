/* A strict reader of RFC 8259, token by token. It takes no memory and does not
 * recurse, so that whoever builds something of the tokens may stop at any of
 * them. It refuses what many decoders let pass: trailing NULs, control bytes,
 * broken UTF-8, numbers that become infinity, nesting without end. Whether an
 * object has a name twice is for its caller to see. */
#ifndef FH_JSON_READER_H
#define FH_JSON_READER_H

#include "util_slice.h"

enum { FH_JSON_DEPTH = 1000 }; /* of nested arrays and objects, at most */

typedef struct fh_json_limits {
  size_t depth; /* of nested arrays and objects; at most FH_JSON_DEPTH */
  size_t name;  /* bytes of an object's name, unescaped */
  bool bytes;   /* strings may hold bytes that are not UTF-8 */
} fh_json_limits;

typedef enum fh_json_token {
  FH_JSON_WRONG, /* and for ever */
  FH_JSON_END,   /* of the text, after its one value */
  FH_JSON_NULL,
  FH_JSON_FALSE,
  FH_JSON_TRUE,
  FH_JSON_NUMBER,
  FH_JSON_STRING,
  FH_JSON_NAME, /* of a member, whose value follows */
  FH_JSON_ARRAY,
  FH_JSON_OBJECT,
  FH_JSON_END_ARRAY,
  FH_JSON_END_OBJECT,
} fh_json_token;

typedef struct fh_json_reader {
  const char *at;    /* behind the last token */
  const char *wrong; /* a static text that shows none of it; NULL so far */
  fh_slice text;     /* of a number, or between the quotes of a string */
  size_t size;       /* of a string, unescaped */
  size_t depth;      /* containers that are open */
  /* private */
  const char *end;
  fh_json_limits limits;
  int state;
  unsigned char objects[FH_JSON_DEPTH / 8]; /* a bit: is it no array? */
} fh_json_reader;

/* Borrows the text until the last token. */
void fh_json_begin(fh_json_reader *reader, fh_slice text,
                   const fh_json_limits *limits);

/* The next token. What it brings is in the reader until the one after it. */
fh_json_token fh_json_next(fh_json_reader *reader);

/* The string or name that was read last, into `out`, which has room for the
 * `size` bytes that the reader tells. */
void fh_json_unescape(const fh_json_reader *reader, char *out);

#endif
