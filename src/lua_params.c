#include "lua_params.h"

/* Counts the value on top, and keeps the field if it is among the first
 * `room`. False if the value is not a string. */
static bool add_field(lua_State *L, fh_params *f, size_t room, fh_slice name) {
  if (lua_type(L, -1) != LUA_TSTRING)
    return false;
  fh_slice value = fh_bytes(L, -1);
  f->bytes += name.size + value.size;
  if (f->count < room)
    f->items[f->count] = (fh_field){name, value};
  f->count++;
  return true;
}

static bool add_list(lua_State *L, fh_params *f, size_t room, fh_slice name) {
  int values = (int)lua_rawlen(L, -1);
  for (int i = 1; i <= values; i++, lua_pop(L, 1)) {
    lua_rawgeti(L, -1, i);
    if (!add_field(L, f, room, name))
      return false;
  }
  return true;
}

static const char *read_fields(lua_State *L, int index, bool lists,
                               fh_params *f, size_t room) {
  f->count = f->bytes = 0;
  if (lua_isnoneornil(L, index))
    return NULL;
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING)
      return "a parameter's name must be a string";
    fh_slice name = fh_bytes(L, -2);
    bool list = lists && lua_type(L, -1) == LUA_TTABLE;
    if (!(list ? add_list : add_field)(L, f, room, name))
      return "a parameter's value must be a string or a list of them";
  }
  return NULL;
}

/* Parameters that do not fit are counted first and copied afterwards. Between
 * the two memory is allocated, and a finalizer that runs then may have changed
 * the table. */
const char *fh_read_params(lua_State *L, int index, bool lists, size_t more,
                           fh_params *params) {
  params->items = params->few;
  params->scratch = params->small;
  const char *wrong = read_fields(L, index, lists, params, FH_PARAMS_FEW);
  size_t room = params->count, bytes = params->bytes;
  if (wrong || (room <= FH_PARAMS_FEW && bytes + more <= FH_PARAMS_SMALL))
    return wrong;
  size_t items = room * sizeof *params->items;
  params->items = lua_newuserdata(L, items + bytes + more);
  params->scratch = (char *)params->items + items;
  wrong = read_fields(L, index, lists, params, room);
  if (params->count > room || params->bytes > bytes)
    wrong = "the parameters changed while they were read";
  return wrong;
}
