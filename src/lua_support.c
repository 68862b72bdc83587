#include "lua_support.h"

#include <stdint.h>
#include <string.h>

static int live_handles; /* open handles of this shared object; atomic */

void fh_set_functions(lua_State *L, const luaL_Reg *list) {
  for (; list->name; list++) {
    lua_pushcfunction(L, list->func);
    lua_setfield(L, -2, list->name);
  }
}

void fh_register(lua_State *L, const fh_class *class) {
  luaL_newmetatable(L, class->name);
  lua_pushstring(L, class->name);
  lua_setfield(L, -2, "__name");
  lua_pushcfunction(L, class->close);
  lua_setfield(L, -2, "__gc");
  lua_pushcfunction(L, class->close);
  lua_setfield(L, -2, "__close");
  lua_pushboolean(L, 0); /* getmetatable() tells nothing */
  lua_setfield(L, -2, "__metatable");
  lua_newtable(L);
  fh_set_functions(L, class->methods);
  lua_pushcfunction(L, class->close);
  lua_setfield(L, -2, "close");
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}

void *fh_new(lua_State *L, const fh_class *class) {
  fh_handle *handle = lua_newuserdata(L, class->size);
  memset(handle, 0, class->size);
  handle->tag = class;
  luaL_getmetatable(L, class->name);
  lua_setmetatable(L, -2);
  return handle;
}

void *fh_test(lua_State *L, int index, const fh_class *class) {
  if (lua_type(L, index) != LUA_TUSERDATA ||
      lua_rawlen(L, index) != class->size)
    return NULL;
  fh_handle *handle = lua_touserdata(L, index);
  return handle->tag == class ? handle : NULL;
}

void *fh_check(lua_State *L, int index, const fh_class *class) {
  void *handle = fh_test(L, index, class);
  if (!handle) {
    const char *message = lua_pushfstring(
        L, "%s expected, got %s", class->name, luaL_typename(L, index));
    luaL_argerror(L, index, message);
  }
  return handle;
}

void *fh_check_open(lua_State *L, int index, const fh_class *class) {
  fh_handle *handle = fh_check(L, index, class);
  if (!handle->open)
    luaL_argerror(L, index, lua_pushfstring(L, "%s is closed", class->name));
  return handle;
}

void fh_opened(fh_handle *handle) {
  handle->open = true;
  __atomic_add_fetch(&live_handles, 1, __ATOMIC_RELAXED);
}

void fh_closed(fh_handle *handle) {
  if (!handle->open)
    return;
  handle->open = false;
  __atomic_sub_fetch(&live_handles, 1, __ATOMIC_RELAXED);
}

fh_slice fh_bytes(lua_State *L, int index) {
  fh_slice bytes;
  bytes.data = lua_tolstring(L, index, &bytes.size);
  return bytes;
}

fh_slice fh_check_bytes(lua_State *L, int index) {
  luaL_checktype(L, index, LUA_TSTRING);
  return fh_bytes(L, index);
}

int fh_live(lua_State *L) {
  lua_pushinteger(L, __atomic_load_n(&live_handles, __ATOMIC_RELAXED));
  return 1;
}

int fh_fail(lua_State *L, const char *kind, const char *message) {
  lua_pushnil(L);
  lua_pushstring(L, kind);
  lua_pushstring(L, message);
  return 3;
}

static void read_option(lua_State *L, const fh_option *option, char *out) {
  switch (option->type) {
  case FH_STRING: {
    fh_slice *slice = (fh_slice *)(void *)out;
    if (lua_type(L, -1) != LUA_TSTRING)
      luaL_error(L, "option '%s' must be a string, got %s", option->name,
                 luaL_typename(L, -1));
    *slice = fh_bytes(L, -1);
    return;
  }
  case FH_BOOLEAN:
    if (!lua_isboolean(L, -1))
      luaL_error(L, "option '%s' must be a boolean, got %s", option->name,
                 luaL_typename(L, -1));
    *(bool *)(void *)out = lua_toboolean(L, -1);
    return;
  case FH_NUMBER:
  case FH_SIZE:
    break;
  }
  lua_Number number = lua_tonumber(L, -1);
  if (lua_type(L, -1) != LUA_TNUMBER || number != number)
    luaL_error(L, "option '%s' must be a number, got %s", option->name,
               luaL_typename(L, -1));
  if (option->type == FH_NUMBER) {
    *(double *)(void *)out = (double)number;
    return;
  }
  if (number < 0 || number > 9007199254740992.0)
    luaL_error(L, "option '%s' must be from 0 to 2^53", option->name);
  *(size_t *)(void *)out = (size_t)number;
}

void fh_options(lua_State *L, int index, const fh_option *list, void *out) {
  index = lua_absindex(L, index);
  luaL_checktype(L, index, LUA_TTABLE);
  for (const fh_option *option = list; option->name; option++) {
    lua_pushstring(L, option->name);
    lua_rawget(L, index); /* what __index computes nobody would keep alive */
    if (!lua_isnil(L, -1))
      read_option(L, option, (char *)out + option->offset);
    else if (option->required)
      luaL_error(L, "option '%s' is missing", option->name);
    lua_pop(L, 1);
  }
}
