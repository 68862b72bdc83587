/* Lets other bindings take a secret as an argument. */
#ifndef FH_LUA_UTIL_SECRET_H
#define FH_LUA_UTIL_SECRET_H

#include "lua_support.h"
#include "util_secret.h"

/* The open secret at `index`; raises for anything else. */
const fh_secret *fh_check_secret(lua_State *L, int index);

#endif
