/* Numbers of JSON, by the grammar, and of a size that a double holds. */
#ifndef FH_JSON_NUMBER_H
#define FH_JSON_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads the number at `*at`, which moves behind what was read. What is wrong
 * with it, or NULL. */
const char *fh_json_number(const char **at, const char *end);

/* Is a number that was read so a whole one, which `*whole` can be exactly?
 * With a point or an exponent only below 2^53: beyond that it is likely a
 * double, whose last digits say nothing. Not for -0, which has a sign. */
bool fh_json_whole(const char *text, size_t size, int64_t *whole);

/* The double nearest to a number that was read so, whatever the locale. */
double fh_json_double(const char *text, size_t size);

#endif
