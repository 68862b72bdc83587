/* application/x-www-form-urlencoded, in both directions, on bytes: values need
 * not be UTF-8 and are never trimmed. Parsing allocates nothing: a field
 * without escapes is a slice of the text, the others are decoded into scratch
 * memory of the caller's. Nothing is repaired: an escape that is none, or a
 * name with a NUL in it, makes the whole form malformed, and nothing is ever
 * cut to fit. */
#ifndef FH_UTIL_FORM_H
#define FH_UTIL_FORM_H

#include "util_slice.h"

typedef struct fh_field {
  fh_slice name;
  fh_slice value;
} fh_field;

/* Caps: fields, and the decoded bytes of one name and of one value. */
typedef struct fh_form_limits {
  size_t params;
  size_t name;
  size_t value;
} fh_form_limits;

typedef enum fh_form_status {
  FH_FORM_OK,
  FH_FORM_MALFORMED,
  FH_FORM_TOO_LARGE, /* reported rather than malformed where both hold */
} fh_form_status;

/* How many fields a parse of `text` can give at most. */
size_t fh_form_room(fh_slice text, const fh_form_limits *limits);

/* Parses `text` into `fields`, which has room for fh_form_room of them, and
 * `scratch`, which has room for text.size bytes. Pieces between `&` that are
 * empty are no fields; the first `=` splits; without one the value is empty.
 * The fields borrow `text` and `scratch`. */
fh_form_status fh_form_parse(fh_slice text, const fh_form_limits *limits,
                             fh_field *fields, char *scratch, size_t *count);

/* The most bytes that fh_form_encode writes for `field`. */
size_t fh_form_encoded_room(fh_field field);

/* Writes `field` to `out`, behind a `&` unless it is the first, and returns
 * the end. */
char *fh_form_encode(char *out, fh_field field, bool first);

/* Sorts by the bytes of the name, then of the value, and drops fields that
 * repeat another; returns how many are left. This is the order that is signed.
 */
size_t fh_form_sort(fh_field *fields, size_t count);

#endif
