#include <stdint.h>

#include "util_form.h"
#include "lua_core.h"

static fh_slice check_string(lua_State *L, int index, int position) {
  lua_rawgeti(L, index, position);
  if (lua_type(L, -1) != LUA_TSTRING)
    luaL_argerror(L, 1, "a list of { name, value } strings expected");
  return fh_bytes(L, -1);
}

/* The pair at `position` of the list; its two strings stay on the stack. */
static fh_field check_pair(lua_State *L, int position) {
  lua_rawgeti(L, 1, position);
  if (!lua_istable(L, -1))
    luaL_argerror(L, 1, "a list of { name, value } strings expected");
  int pair = lua_gettop(L);
  fh_slice name = check_string(L, pair, 1);
  return (fh_field){name, check_string(L, pair, 2)};
}

/* encode_form(list) -> bytes */
static int encode_form(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  size_t count = lua_rawlen(L, 1), room = 0;
  for (size_t i = 1; i <= count; i++, lua_settop(L, 1)) {
    fh_field field = check_pair(L, (int)i);
    room += fh_form_encoded_room(field);
  }
  char *begin = lua_newuserdata(L, room + 1), *out = begin;
  for (size_t i = 1; i <= count; i++, lua_settop(L, 2)) {
    fh_field field = check_pair(L, (int)i);
    size_t needed = fh_form_encoded_room(field);
    if (needed > room)
      return luaL_error(L, "the list changed while it was read");
    room -= needed;
    out = fh_form_encode(out, field, i == 1);
  }
  lua_pushlstring(L, begin, (size_t)(out - begin));
  return 1;
}

static void push_pair(lua_State *L, fh_field field) {
  lua_createtable(L, 2, 0);
  lua_pushlstring(L, field.name.data, field.name.size);
  lua_rawseti(L, -2, 1);
  lua_pushlstring(L, field.value.data, field.value.size);
  lua_rawseti(L, -2, 2);
}

/* decode_form(bytes) -> list | nil, "malformed". For bytes that were asked for
 * or verified: there is no cap. */
static int decode_form(lua_State *L) {
  const fh_form_limits none = {SIZE_MAX, SIZE_MAX, SIZE_MAX};
  size_t count;
  fh_slice text = fh_check_bytes(L, 1);
  size_t room = fh_form_room(text, &none) * sizeof(fh_field);
  fh_field *fields = lua_newuserdata(L, room + text.size + 1);
  char *scratch = (char *)fields + room;
  if (fh_form_parse(text, &none, fields, scratch, &count) != FH_FORM_OK) {
    lua_pushnil(L);
    lua_pushliteral(L, "malformed");
    return 2;
  }
  lua_createtable(L, (int)count, 0);
  for (size_t i = 0; i < count; i++) {
    push_pair(L, fields[i]);
    lua_rawseti(L, -2, (int)i + 1);
  }
  return 1;
}

static const luaL_Reg functions[] = {
    {"decode_form", decode_form},
    {"encode_form", encode_form},
    {NULL, NULL},
};

void fh_open_form(lua_State *L) {
  fh_set_functions(L, functions);
}
