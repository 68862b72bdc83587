/* core.recent: the memory of idempotency tokens. */
#include "lua_core.h"

#include "util_poller.h"
#include "util_ttl_set.h"

typedef struct recent_handle {
  fh_handle handle;
  fh_ttl_set recent;
} recent_handle;

static const fh_class recent_class;

static fh_slice check_key(lua_State *L, int index) {
  fh_slice key;
  key.data = luaL_checklstring(L, index, &key.size);
  return key;
}

/* The monotonic clock's, unless a caller with another clock says it. */
static double check_time(lua_State *L, int index) {
  return lua_isnoneornil(L, index) ? fh_clock()
                                   : (double)luaL_checknumber(L, index);
}

/* recent:has(key, now | nil) -> boolean */
static int recent_has(lua_State *L) {
  recent_handle *self = fh_check_open(L, 1, &recent_class);
  fh_slice key = check_key(L, 2);
  lua_pushboolean(L, fh_ttl_set_has(&self->recent, key, check_time(L, 3)));
  return 1;
}

/* recent:add(key, now | nil) -> boolean: false where it counts already. Raises
 * where memory ran out. */
static int recent_add(lua_State *L) {
  recent_handle *self = fh_check_open(L, 1, &recent_class);
  fh_slice key = check_key(L, 2);
  fh_ttl_set_status status =
      fh_ttl_set_add(&self->recent, key, check_time(L, 3));
  if (status == FH_RECENT_NO_MEMORY)
    return luaL_error(L, "not enough memory");
  lua_pushboolean(L, status == FH_RECENT_ADDED);
  return 1;
}

/* recent:take_back(count) */
static int recent_take_back(lua_State *L) {
  recent_handle *self = fh_check_open(L, 1, &recent_class);
  lua_Integer count = luaL_checkinteger(L, 2);
  luaL_argcheck(L, count >= 0, 2, "must be 0 or more");
  fh_ttl_set_take_back(&self->recent, (size_t)count);
  return 0;
}

static int recent_count(lua_State *L) {
  recent_handle *self = fh_check_open(L, 1, &recent_class);
  lua_pushnumber(L, (lua_Number)self->recent.count);
  return 1;
}

static int recent_close(lua_State *L) {
  recent_handle *self = fh_check(L, 1, &recent_class);
  if (self->handle.open)
    fh_ttl_set_close(&self->recent);
  fh_closed(&self->handle);
  return 0;
}

/* recent(window, limit) -> recent */
static int new_recent(lua_State *L) {
  lua_Number window = luaL_checknumber(L, 1);
  lua_Number limit = luaL_checknumber(L, 2);
  luaL_argcheck(L, window >= 0, 1, "must be 0 or more");
  luaL_argcheck(L, limit >= 1 && limit <= (lua_Number)UINT32_MAX, 2,
                "must be from 1 to 2^32 - 1");
  recent_handle *self = fh_new(L, &recent_class);
  if (!fh_ttl_set_open(&self->recent, (double)window, (size_t)limit))
    return luaL_error(L, "the system gives no random bytes");
  fh_opened(&self->handle);
  return 1;
}

static const luaL_Reg methods[] = {
    {"has", recent_has},
    {"add", recent_add},
    {"take_back", recent_take_back},
    {"count", recent_count},
    {NULL, NULL},
};

static const fh_class recent_class = {.name = "flexhooks.recent",
                                      .size = sizeof(recent_handle),
                                      .methods = methods,
                                      .close = recent_close};

void fh_open_recent(lua_State *L) {
  fh_register(L, &recent_class);
  lua_pushcfunction(L, new_recent);
  lua_setfield(L, -2, "recent");
}
