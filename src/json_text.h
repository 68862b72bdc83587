/* Writes the strings and numbers of JSON into memory that the caller has made
 * large enough. Bytes that are not UTF-8 pass as they are; a NUL or another
 * control byte never appears in what is written. */
#ifndef FH_JSON_TEXT_H
#define FH_JSON_TEXT_H

#include "util_slice.h"

enum { FH_JSON_NUMBER_ROOM = 32 };

/* The bytes that `text` takes as a string, quotes included; SIZE_MAX where no
 * memory could hold them. */
size_t fh_json_string_room(fh_slice text);

/* Writes `text` as a string into the `room` that it takes, as told above, and
 * returns the end of it. */
char *fh_json_put_string(char *out, fh_slice text, size_t room);

/* Writes `text` as a string of `text.size + 2` bytes and returns the end of
 * it, or NULL where it may take more: nearly none does, and looking for what
 * to escape while copying costs less than looking first. */
char *fh_json_put_plain(char *out, fh_slice text);

/* Writes a finite number, in as many digits as bring back the same one, into
 * FH_JSON_NUMBER_ROOM bytes, and returns the end of it. */
char *fh_json_put_number(char *out, double number);

#endif
