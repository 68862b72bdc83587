/* Lets other bindings take a key as an argument. */
#ifndef FH_LUA_SIG_KEY_H
#define FH_LUA_SIG_KEY_H

#include "sig_key.h"
#include "lua_support.h"

/* The algorithm that is named at `index`, HMAC_SHA1 if it is nil; raises for
 * anything else. */
fh_algorithm fh_check_algorithm(lua_State *L, int index);

/* The open key at `index`, or NULL where the value is something else. */
fh_key *fh_test_key(lua_State *L, int index);

#endif
