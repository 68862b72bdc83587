#include "lua_writer.h"

#include <stdint.h>

#include "json_text.h"

void fh_writer_begin(fh_writer *w, lua_State *L) {
  lua_pushnil(L);
  w->L = L;
  w->slot = lua_gettop(L);
  w->data = w->small;
  w->size = 0;
  w->room = FH_WRITER_SMALL;
}

static void check_room(fh_writer *w, size_t size) {
  if (size > SIZE_MAX / 2 - w->size)
    luaL_error(w->L, "not enough memory");
}

static void enlarge(fh_writer *w, size_t room) {
  char *larger = lua_newuserdata(w->L, room);
  memcpy(larger, w->data, w->size);
  lua_replace(w->L, w->slot);
  w->data = larger;
  w->room = room;
}

void fh_writer_grow(fh_writer *w, size_t size) {
  check_room(w, size);
  enlarge(w, 2 * (w->size + size));
}

void fh_writer_expect(fh_writer *w, size_t size) {
  check_room(w, size);
  if (size > w->room - w->size)
    enlarge(w, w->size + size);
}

void fh_writer_put(fh_writer *w, const void *data, size_t size) {
  char *out = fh_writer_reserve(w, size);
  if (size > 0)
    memcpy(out, data, size);
  w->size += size;
}

#if LUA_VERSION_NUM < 503
static bool put_integer(fh_writer *w) {
  (void)w; /* there are none */
  return false;
}
#else
/* An integer that a double might not hold. */
static bool put_integer(fh_writer *w) {
  if (!lua_isinteger(w->L, -1))
    return false;
  size_t size;
  lua_pushvalue(w->L, -1);
  const char *digits = lua_tolstring(w->L, -1, &size);
  fh_writer_put(w, digits, size);
  lua_pop(w->L, 1);
  return true;
}
#endif

void fh_writer_put_number(fh_writer *w) {
  lua_Number number = lua_tonumber(w->L, -1);
  if (number - number != 0)
    luaL_error(w->L, "a number that is not finite cannot be stored");
  if (put_integer(w))
    return;
  char *out = fh_writer_reserve(w, FH_JSON_NUMBER_ROOM);
  w->size = (size_t)(fh_json_put_number(out, (double)number) - w->data);
}

void fh_writer_push(const fh_writer *w) {
  lua_pushlstring(w->L, w->data, w->size);
}
