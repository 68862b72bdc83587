/* The rules of core.field_checker, for the verifier, which looks at fields
 * before they are in a table. They live as long as the checker. */
#ifndef FH_LUA_UTIL_SID_H
#define FH_LUA_UTIL_SID_H

#include "lua_support.h"

enum { FH_FIELD_RULES = 31 }; /* at most; a bit each */

typedef struct fh_field_rules fh_field_rules;

/* The rules of the checker at `index`, or NULL where it is none. */
const fh_field_rules *fh_test_fields(lua_State *L, int index);

/* The number of the rule for a field, from 0 on; -1 where there is none. */
int fh_field_rule(const fh_field_rules *rules, fh_slice name);

/* Is the value what the rule wants? One that is empty is no SID. */
bool fh_field_fits(const fh_field_rules *rules, int rule, fh_slice value);

#endif
