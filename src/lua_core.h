/* The openers of the bindings that make up flexhooks.core. Each registers its
 * classes and adds its functions to the table on top of the stack. */
#ifndef FH_LUA_CORE_H
#define FH_LUA_CORE_H

#include "lua_support.h"

/* The metatable of decoded arrays, which tells an empty one from an object. */
#define FH_JSON_ARRAY "flexhooks.json.array"

/* One for each. */
void fh_open_file(lua_State *L);
void fh_open_form(lua_State *L);
void fh_open_http(lua_State *L);
void fh_open_json(lua_State *L);
void fh_open_json_text(lua_State *L);
void fh_open_key(lua_State *L);
void fh_open_poller(lua_State *L);
void fh_open_recent(lua_State *L);
void fh_open_secret(lua_State *L);
void fh_open_sid(lua_State *L);
void fh_open_signature(lua_State *L);
void fh_open_sql_text(lua_State *L);
void fh_open_validator(lua_State *L);

#endif
