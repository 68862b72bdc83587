/* What can be known of JSON without building anything: whether it is right,
 * and a string that its outer objects have. Refuses what the reader refuses,
 * and a name that an object has twice, which routing cannot live with. Memory
 * is taken for the names of open objects only. */
#ifndef FH_JSON_H
#define FH_JSON_H

#include "json_reader.h"

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

/* The error of an object that has a name twice. */
extern const char fh_json_twice[];

#endif
