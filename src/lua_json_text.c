/* core.json_text, core.json_object: plain values as JSON. */
#include <limits.h>

#include "json_text.h"
#include "lua_core.h"
#include "lua_writer.h"

enum { DEPTH = 120 }; /* of nested tables: what is written can be decoded */

static void put_value(fh_writer *w, int depth);

static void put_string(fh_writer *w, fh_slice text) {
  char *end = fh_json_put_plain(fh_writer_reserve(w, text.size + 2), text);
  if (!end) {
    size_t room = fh_json_string_room(text);
    char *out = fh_writer_reserve(w, room);
    end = fh_json_put_string(out, text, room);
  }
  w->size = (size_t)(end - w->data);
}

/* A number as a name: of a copy, since lua_next would stumble over a number
 * made a string. */
static void put_number_name(fh_writer *w) {
  fh_slice name;
  lua_pushvalue(w->L, -2);
  name.data = lua_tolstring(w->L, -1, &name.size);
  put_string(w, name);
  lua_pop(w->L, 1);
}

/* The key below the value on top. */
static void put_name(fh_writer *w) {
  int type = lua_type(w->L, -2);
  if (type == LUA_TSTRING)
    put_string(w, fh_bytes(w->L, -2));
  else if (type == LUA_TNUMBER)
    put_number_name(w);
  else
    luaL_error(w->L, "a table with a %s for a name cannot be stored",
               lua_typename(w->L, type));
  fh_writer_put_byte(w, ':');
}

/* The last place of the list on top, some of which may be empty: there was a
 * null. 0 where it is an object. */
static int last_place(lua_State *L) {
  int last = 0;
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    lua_Number place = 0;
    lua_pop(L, 1);
    if (lua_type(L, -1) == LUA_TNUMBER)
      place = lua_tonumber(L, -1);
    if (!(place >= 1 && place < INT_MAX) || place != (lua_Number)(int)place) {
      lua_pop(L, 1);
      return 0;
    }
    if ((int)place > last)
      last = (int)place;
  }
  return last;
}

/* The list on top. */
static void put_list(fh_writer *w, int last, int depth) {
  lua_State *L = w->L;
  fh_writer_put_byte(w, '[');
  for (int i = 1; i <= last; i++) {
    if (i > 1)
      fh_writer_put_byte(w, ',');
    lua_rawgeti(L, -1, i);
    if (lua_isnil(L, -1))
      fh_writer_put(w, "null", 4);
    else
      put_value(w, depth);
    lua_pop(L, 1);
  }
  fh_writer_put_byte(w, ']');
}

static void put_object(fh_writer *w, int depth) {
  lua_State *L = w->L;
  bool first = true;
  fh_writer_put_byte(w, '{');
  lua_pushnil(L);
  for (; lua_next(L, -2); first = false) {
    if (!first)
      fh_writer_put_byte(w, ',');
    put_name(w);
    put_value(w, depth);
    lua_pop(L, 1);
  }
  fh_writer_put_byte(w, '}');
}

/* Is the table on top an empty array? */
static bool is_empty_array(lua_State *L) {
  lua_pushnil(L);
  if (lua_next(L, -2)) {
    lua_pop(L, 2);
    return false;
  }
  if (!lua_getmetatable(L, -1))
    return false;
  luaL_getmetatable(L, FH_JSON_ARRAY);
  bool marked = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return marked;
}

static void put_table(fh_writer *w, int depth) {
  if (depth == DEPTH)
    luaL_error(w->L, "a value that is nested too deeply cannot be stored");
  luaL_checkstack(w->L, 6, "nested too deeply");
  int last = last_place(w->L);
  if (last > 0 || is_empty_array(w->L))
    put_list(w, last, depth + 1);
  else
    put_object(w, depth + 1);
}

static void put_simple(fh_writer *w, int type) {
  if (type == LUA_TBOOLEAN && lua_toboolean(w->L, -1))
    fh_writer_put(w, "true", 4);
  else if (type == LUA_TBOOLEAN)
    fh_writer_put(w, "false", 5);
  else if (type == LUA_TLIGHTUSERDATA && !lua_touserdata(w->L, -1))
    fh_writer_put(w, "null", 4); /* lua-cjson's null */
  else
    luaL_error(w->L, "a %s cannot be stored", lua_typename(w->L, type));
}

/* The value on top, which stays there. */
static void put_value(fh_writer *w, int depth) {
  int type = lua_type(w->L, -1);
  if (type == LUA_TSTRING)
    put_string(w, fh_bytes(w->L, -1));
  else if (type == LUA_TNUMBER)
    fh_writer_put_number(w);
  else if (type == LUA_TTABLE)
    put_table(w, depth);
  else
    put_simple(w, type);
}

/* json_text(value) -> bytes. A table with places for names is a list, and so
 * is an empty one with the metatable of arrays. Raises for what is no plain
 * value. */
static int json_text(lua_State *L) {
  fh_writer w;
  luaL_checkany(L, 1);
  lua_settop(L, 1);
  fh_writer_begin(&w, L);
  lua_pushvalue(L, 1);
  put_value(&w, 0);
  fh_writer_push(&w);
  return 1;
}

/* json_object(begun, fields, names) -> bytes: an object that begins with the
 * bytes `begun` and goes on with those fields that `names` lists. */
static int json_object(lua_State *L) {
  fh_writer w;
  fh_slice begun = fh_check_bytes(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  luaL_checktype(L, 3, LUA_TTABLE);
  lua_settop(L, 3);
  fh_writer_begin(&w, L);
  fh_writer_put(&w, begun.data, begun.size);
  size_t count = lua_rawlen(L, 3);
  for (size_t i = 1; i <= count; i++) {
    lua_rawgeti(L, 3, (int)i);
    lua_pushvalue(L, -1);
    lua_rawget(L, 2);
    if (!lua_isnil(L, -1)) {
      fh_writer_put_byte(&w, ',');
      put_name(&w);
      put_value(&w, 0);
    }
    lua_pop(L, 2);
  }
  fh_writer_put_byte(&w, '}');
  fh_writer_push(&w);
  return 1;
}

static const luaL_Reg functions[] = {
    {"json_object", json_object},
    {"json_text", json_text},
    {NULL, NULL},
};

void fh_open_json_text(lua_State *L) {
  fh_set_functions(L, functions);
}
