/* Writes bytes as a literal of SQL into memory that the caller has made large
 * enough: as text in quotes, or as x'…' where they hold a NUL, at which SQLite
 * would end a statement. */
#ifndef FH_UTIL_SQL_TEXT_H
#define FH_UTIL_SQL_TEXT_H

#include "util_slice.h"

/* The bytes that the literal takes; SIZE_MAX where no memory could hold it. */
size_t fh_sql_literal_room(fh_slice bytes);

/* Writes the literal into the `room` that it takes, as told above, and returns
 * the end of it. */
char *fh_sql_put_literal(char *out, fh_slice bytes, size_t room);

#endif
