/* core.sql_literal, core.sql_rows: values as the literals of a statement. */
#include <stdint.h>

#include "json_text.h"
#include "lua_core.h"
#include "lua_writer.h"
#include "util_sql_text.h"

/* The value on top. */
static void put_literal(fh_writer *w) {
  int type = lua_type(w->L, -1);
  if (type == LUA_TNUMBER) {
    fh_writer_put_number(w);
    return;
  }
  if (type == LUA_TNIL) {
    fh_writer_put(w, "NULL", 4);
    return;
  }
  if (type != LUA_TSTRING)
    luaL_error(w->L, "a %s is no value of SQL", lua_typename(w->L, type));
  fh_slice bytes = fh_bytes(w->L, -1);
  size_t room = fh_sql_literal_room(bytes);
  char *out = fh_writer_reserve(w, room);
  w->size = (size_t)(fh_sql_put_literal(out, bytes, room) - w->data);
}

/* sql_literal(string | number | nil) -> text */
static int sql_literal(lua_State *L) {
  fh_writer w;
  lua_settop(L, 1);
  fh_writer_begin(&w, L);
  lua_pushvalue(L, 1);
  put_literal(&w);
  fh_writer_push(&w);
  return 1;
}

/* The room that these values of the list take where nothing is escaped; none
 * where it cannot be counted. */
static size_t room_of(lua_State *L, int list, int first, int last) {
  const size_t around = 6; /* quotes, a comma, and the parentheses of a row */
  size_t room = 0;
  for (int i = first; i <= last; i++) {
    lua_rawgeti(L, list, i);
    size_t size = lua_type(L, -1) == LUA_TSTRING ? lua_rawlen(L, -1)
                                                 : FH_JSON_NUMBER_ROOM;
    lua_pop(L, 1);
    if (size > SIZE_MAX / 4 - around - room)
      return 0;
    room += size + around;
  }
  return room;
}

/* sql_rows(begun, list, width, first, last) -> text: what is begun, and then
 * "(…),(…)", the values at `first` to `last` of the list, `width` of them in
 * each row */
static int sql_rows(lua_State *L) {
  fh_writer w;
  fh_slice begun = fh_check_bytes(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  int width = (int)luaL_checkinteger(L, 3);
  int first = (int)luaL_checkinteger(L, 4),
      last = (int)luaL_checkinteger(L, 5);
  luaL_argcheck(L, width > 0, 3, "must be 1 or more");
  lua_settop(L, 5);
  fh_writer_begin(&w, L);
  fh_writer_put(&w, begun.data, begun.size);
  fh_writer_expect(&w, room_of(L, 2, first, last));
  for (int i = first; i <= last; i++) {
    bool begins = (i - first) % width == 0;
    bool ends = (i - first + 1) % width == 0;
    if (i > first)
      fh_writer_put_byte(&w, ',');
    if (begins)
      fh_writer_put_byte(&w, '(');
    lua_rawgeti(L, 2, i);
    put_literal(&w);
    lua_pop(L, 1);
    if (ends)
      fh_writer_put_byte(&w, ')');
  }
  fh_writer_push(&w);
  return 1;
}

static const luaL_Reg functions[] = {
    {"sql_literal", sql_literal},
    {"sql_rows", sql_rows},
    {NULL, NULL},
};

void fh_open_sql_text(lua_State *L) {
  fh_set_functions(L, functions);
}
