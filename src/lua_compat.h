/* The few places where Lua 5.4 and LuaJIT (the 5.1 API) differ. */
#ifndef FH_LUA_COMPAT_H
#define FH_LUA_COMPAT_H

#include <lauxlib.h>
#include <lua.h>

#if LUA_VERSION_NUM < 502
#define lua_rawlen(L, i)       lua_objlen(L, i)
#define lua_setuservalue(L, i) lua_setfenv(L, i)
#define lua_getuservalue(L, i) lua_getfenv(L, i)
#define lua_absindex(L, i)                                                    \
  ((i) > 0 || (i) <= LUA_REGISTRYINDEX ? (i) : lua_gettop(L) + (i) + 1)
#elif LUA_VERSION_NUM < 504
#error "flexhooks supports Lua 5.4 and LuaJIT 2.1"
#endif

/* Numbers cross as lua_Number; sizes and codes are exact below 2^53. */
#if LUA_VERSION_NUM < 503
#define fh_isinteger(L, i)                                                    \
  (lua_type(L, i) == LUA_TNUMBER &&                                           \
   lua_tonumber(L, i) == (lua_Number)lua_tointeger(L, i))
#else
#define fh_isinteger(L, i) lua_isinteger(L, i)
#endif

#endif
