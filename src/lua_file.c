/* core.file_ids, core.real_path: which files paths lead to. */
#include "lua_core.h"

#include "file.h"

enum { PATHS = 4 };

/* lua: file_ids(path, …) -> bytes, 16 for each; zeros where there is none */
static int file_ids(lua_State *L) {
  unsigned char ids[PATHS * FH_FILE_ID_SIZE];
  int count = lua_gettop(L);
  luaL_argcheck(L, count >= 1 && count <= PATHS, 1, "from one to four paths");
  for (int i = 0; i < count; i++)
    fh_file_id(luaL_checkstring(L, i + 1), ids + i * FH_FILE_ID_SIZE);
  lua_pushlstring(L, (const char *)ids, (size_t)count * FH_FILE_ID_SIZE);
  return 1;
}

/* lua: real_path(path) -> path without symbolic links | nil */
static int real_path(lua_State *L) {
  char real[FH_PATH_SIZE];
  if (fh_real_path(luaL_checkstring(L, 1), real))
    lua_pushstring(L, real);
  else
    lua_pushnil(L);
  return 1;
}

void fh_open_file(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"file_ids", file_ids},
      {"real_path", real_path},
      {NULL, NULL},
  };
  fh_set_functions(L, functions);
}
