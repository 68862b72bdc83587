#include "json.h"
#include "lua_core.h"

/* json_check(bytes, depth, name) -> true | nil, what is wrong and where */
static int json_check(lua_State *L) {
  size_t where;
  fh_slice text = fh_check_bytes(L, 1);
  lua_Number depth = luaL_checknumber(L, 2), name = luaL_checknumber(L, 3);
  luaL_argcheck(L, depth >= 1 && depth <= FH_JSON_DEPTH, 2,
                "from 1 to 1000 expected");
  luaL_argcheck(L, name >= 0 && name <= 0x7fffffff, 3,
                "from 0 to 2^31 expected");
  const fh_json_limits limits = {(size_t)depth, (size_t)name};
  const char *wrong = fh_json_check(text, &limits, &where);
  if (!wrong) {
    lua_pushboolean(L, 1);
    return 1;
  }
  lua_pushnil(L);
  lua_pushfstring(L, "%s (at byte %d)", wrong, (int)where + 1);
  return 2;
}

static const luaL_Reg functions[] = {
    {"json_check", json_check},
    {NULL, NULL},
};

void fh_open_json(lua_State *L) {
  fh_set_functions(L, functions);
}
