/* The shape of Twilio's identifiers: two capital letters for the kind, then 32
 * hex digits. */
#ifndef FH_UTIL_SID_H
#define FH_UTIL_SID_H

#include <stdbool.h>

#include "util_slice.h"

enum { FH_SID_SIZE = 34 };

/* Is this a SID that begins with `kind`, which has two characters? Digits may
 * be capital letters only where `any_case` says so. */
bool fh_is_sid(fh_slice text, const char *kind, bool any_case);

#endif
