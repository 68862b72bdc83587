/* Lets other bindings take a poller as an argument. */
#ifndef FH_LUA_UTIL_POLLER_H
#define FH_LUA_UTIL_POLLER_H

#include "lua_support.h"
#include "util_poller.h"

/* The open poller at `index`, of this process; raises for anything else. */
fh_poller *fh_check_poller(lua_State *L, int index);

#endif
