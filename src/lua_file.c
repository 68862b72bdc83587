/* core.file_ids: which files paths lead to. */
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

void fh_open_file(lua_State *L) {
  lua_pushcfunction(L, file_ids);
  lua_setfield(L, -2, "file_ids");
}
