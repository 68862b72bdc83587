/* core.file_ids, core.file_links, core.real_path, core.read_file: which files
 * paths lead to, and what small ones hold. */
#include <errno.h>
#include <string.h>

#include "lua_core.h"

#include "util_file.h"

enum { PATHS = 4, MOST = 1 << 20 };

/* lua: file_ids(path, …) -> bytes, size, …: 16 bytes for each, and the size of
 * each; zeros if there is no file */
static int file_ids(lua_State *L) {
  unsigned char ids[PATHS * FH_FILE_ID_SIZE];
  uint64_t sizes[PATHS];
  int count = lua_gettop(L);
  luaL_argcheck(L, count >= 1 && count <= PATHS, 1, "from one to four paths");
  for (int i = 0; i < count; i++)
    sizes[i] =
        fh_file_id(luaL_checkstring(L, i + 1), ids + i * FH_FILE_ID_SIZE);
  lua_pushlstring(L, (const char *)ids, (size_t)count * FH_FILE_ID_SIZE);
  for (int i = 0; i < count; i++)
    lua_pushnumber(L, (lua_Number)sizes[i]);
  return count + 1;
}

/* lua: file_links(path) -> number of its names; 0 if there is no file */
static int file_links(lua_State *L) {
  size_t links = fh_file_links(luaL_checkstring(L, 1));
  lua_pushinteger(L, (lua_Integer)links);
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

/* lua: read_file(path, most) -> bytes, mode | nil, message. Reads at most
 * `most` bytes; `mode` is the file's permission bits. No copy of the bytes is
 * left behind but the string. */
static int read_file(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  lua_Number most = luaL_checknumber(L, 2);
  size_t size;
  unsigned mode;
  luaL_argcheck(L, most >= 1 && most <= MOST, 2, "from 1 to 2^20 expected");
  char *bytes = lua_newuserdata(L, (size_t)most);
  if (!fh_file_read(path, bytes, (size_t)most, &size, &mode)) {
    int failure = errno;
    explicit_bzero(bytes, (size_t)most);
    lua_pushnil(L);
    lua_pushfstring(L, "%s: %s", path, strerror(failure));
    return 2;
  }
  lua_pushlstring(L, bytes, size);
  explicit_bzero(bytes, size);
  lua_pushinteger(L, (lua_Integer)mode);
  return 2;
}

void fh_open_file(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"file_ids", file_ids},
      {"file_links", file_links},
      {"read_file", read_file},
      {"real_path", real_path},
      {NULL, NULL},
  };
  fh_set_functions(L, functions);
}
