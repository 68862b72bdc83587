/* A strict reader of RFC 8259 that builds nothing. It stands before a decoder
 * that lets much pass: trailing NULs, control bytes, broken UTF-8, numbers
 * that become infinity. It also refuses what RFC 8259 leaves open and routing
 * cannot live with: a name that an object has twice, and nesting without end.
 * Memory is taken for the names of open objects only. */
#ifndef FH_JSON_H
#define FH_JSON_H

#include "slice.h"

typedef struct fh_json_limits {
  size_t depth; /* of nested arrays and objects; at most FH_JSON_DEPTH */
  size_t name;  /* bytes of an object's name, unescaped */
} fh_json_limits;

enum { FH_JSON_DEPTH = 1000 }; /* the reader recurses on the C stack */

/* What is wrong with `text`, or NULL. `where`, unless NULL, receives the
 * offset in bytes at which it was seen. */
const char *fh_json_check(fh_slice text, const fh_json_limits *limits,
                          size_t *where);

/* Checks `text` and gives the string, without its quotes and still escaped,
 * that the object has under `name`; where the text is an array of objects, the
 * one that all of them agree on. NULL where there is none, where it is no
 * string, or where the check fails. The result borrows `text`. */
fh_slice fh_json_string(fh_slice text, const fh_json_limits *limits,
                        fh_slice name);

#endif
