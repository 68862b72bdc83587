/* Numbers of JSON, by the grammar, and of a size that a double holds. */
#ifndef FH_JSON_NUMBER_H
#define FH_JSON_NUMBER_H

#include <stddef.h>

/* Reads the number at `*at`, which moves behind what was read. What is wrong
 * with it, or NULL. */
const char *fh_json_number(const char **at, const char *end);

/* The double nearest to a number that was read so, whatever the locale. */
double fh_json_double(const char *text, size_t size);

#endif
