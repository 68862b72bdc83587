/* core.json_text, core.json_object: plain values as JSON. */
#include <stdint.h>

#include "json_text.h"
#include "lua_core.h"

enum {
  SMALL = 8192,
  DEPTH = 120, /* of nested tables: what is written can be decoded */
};

/* What has been written: in `small`, or in a userdata on the Lua stack. So an
 * error raised on the way leaks nothing, and a finalizer that encodes
 * meanwhile has memory of its own. */
typedef struct writer {
  lua_State *L;
  char *data;
  size_t size;
  size_t room;
  int slot; /* of the userdata */
  char small[SMALL];
} writer;

static void put_value(writer *w, int depth);

static void begin(writer *w, lua_State *L) {
  lua_pushnil(L);
  w->L = L;
  w->slot = lua_gettop(L);
  w->data = w->small;
  w->size = 0;
  w->room = SMALL;
}

/* Where `size` bytes can be written. */
static char *reserve(writer *w, size_t size) {
  if (size > w->room - w->size) {
    if (size > SIZE_MAX / 2 - w->size)
      luaL_error(w->L, "not enough memory");
    size_t room = 2 * (w->size + size);
    char *larger = lua_newuserdata(w->L, room);
    memcpy(larger, w->data, w->size);
    lua_replace(w->L, w->slot);
    w->data = larger;
    w->room = room;
  }
  return w->data + w->size;
}

static void put_bytes(writer *w, const char *data, size_t size) {
  memcpy(reserve(w, size), data, size);
  w->size += size;
}

static void put_byte(writer *w, char c) {
  *reserve(w, 1) = c;
  w->size++;
}

static void put_string(writer *w, fh_slice text) {
  size_t room = fh_json_string_room(text);
  char *out = reserve(w, room);
  w->size = (size_t)(fh_json_put_string(out, text, room) - w->data);
}

/* The number on top. */
static void put_number(writer *w) {
  lua_Number number = lua_tonumber(w->L, -1);
  if (number - number != 0)
    luaL_error(w->L, "a number that is not finite cannot be stored");
#if LUA_VERSION_NUM >= 503
  if (lua_isinteger(w->L, -1)) {
    size_t size;
    lua_pushvalue(w->L, -1);
    const char *digits = lua_tolstring(w->L, -1, &size);
    put_bytes(w, digits, size);
    lua_pop(w->L, 1);
    return;
  }
#endif
  char *out = reserve(w, FH_JSON_NUMBER_ROOM);
  w->size = (size_t)(fh_json_put_number(out, (double)number) - w->data);
}

/* The key below the value on top. */
static void put_name(writer *w) {
  lua_State *L = w->L;
  int type = lua_type(L, -2);
  if (type != LUA_TSTRING && type != LUA_TNUMBER)
    luaL_error(L, "a table with a %s for a name cannot be stored",
               lua_typename(L, type));
  /* A copy, since lua_next would stumble over a number made a string. */
  lua_pushvalue(L, -2);
  fh_slice name;
  name.data = lua_tolstring(L, -1, &name.size);
  put_string(w, name);
  lua_pop(L, 1);
  put_byte(w, ':');
}

/* The list on top, whose first element lies above it. */
static void put_list(writer *w, int depth) {
  lua_State *L = w->L;
  put_byte(w, '[');
  for (int i = 1; !lua_isnil(L, -1); i++) {
    if (i > 1)
      put_byte(w, ',');
    put_value(w, depth);
    lua_pop(L, 1);
    lua_rawgeti(L, -1, i + 1);
  }
  put_byte(w, ']');
}

static void put_object(writer *w, int depth) {
  lua_State *L = w->L;
  bool first = true;
  put_byte(w, '{');
  lua_pushnil(L);
  for (; lua_next(L, -2); first = false) {
    if (!first)
      put_byte(w, ',');
    put_name(w);
    put_value(w, depth);
    lua_pop(L, 1);
  }
  put_byte(w, '}');
}

static void put_table(writer *w, int depth) {
  if (depth == DEPTH)
    luaL_error(w->L, "a value that is nested too deeply cannot be stored");
  luaL_checkstack(w->L, 6, "nested too deeply");
  lua_rawgeti(w->L, -1, 1);
  if (lua_isnil(w->L, -1)) {
    lua_pop(w->L, 1);
    put_object(w, depth + 1);
    return;
  }
  put_list(w, depth + 1);
  lua_pop(w->L, 1);
}

static void put_simple(writer *w, int type) {
  if (type == LUA_TBOOLEAN && lua_toboolean(w->L, -1))
    put_bytes(w, "true", 4);
  else if (type == LUA_TBOOLEAN)
    put_bytes(w, "false", 5);
  else if (type == LUA_TLIGHTUSERDATA && !lua_touserdata(w->L, -1))
    put_bytes(w, "null", 4); /* lua-cjson's null */
  else
    luaL_error(w->L, "a %s cannot be stored", lua_typename(w->L, type));
}

/* The value on top, which stays there. */
static void put_value(writer *w, int depth) {
  int type = lua_type(w->L, -1);
  if (type == LUA_TSTRING)
    put_string(w, fh_bytes(w->L, -1));
  else if (type == LUA_TNUMBER)
    put_number(w);
  else if (type == LUA_TTABLE)
    put_table(w, depth);
  else
    put_simple(w, type);
}

/* json_text(value) -> bytes. A table with a first element is a list. Raises
 * for what is no plain value. */
static int json_text(lua_State *L) {
  writer w;
  luaL_checkany(L, 1);
  lua_settop(L, 1);
  begin(&w, L);
  lua_pushvalue(L, 1);
  put_value(&w, 0);
  lua_pushlstring(L, w.data, w.size);
  return 1;
}

/* json_object(begun, fields, names) -> bytes: an object that begins with the
 * bytes `begun` and goes on with those fields that `names` lists. */
static int json_object(lua_State *L) {
  writer w;
  fh_slice begun = fh_check_bytes(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  luaL_checktype(L, 3, LUA_TTABLE);
  lua_settop(L, 3);
  begin(&w, L);
  put_bytes(&w, begun.data, begun.size);
  size_t count = lua_rawlen(L, 3);
  for (size_t i = 1; i <= count; i++) {
    lua_rawgeti(L, 3, (int)i);
    lua_pushvalue(L, -1);
    lua_rawget(L, 2);
    if (!lua_isnil(L, -1)) {
      put_byte(&w, ',');
      put_name(&w);
      put_value(&w, 0);
    }
    lua_pop(L, 2);
  }
  put_byte(&w, '}');
  lua_pushlstring(L, w.data, w.size);
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
