/* flexhooks.core.redis: one non-blocking connection to Redis. */
#include <stdint.h>

#include "lua_support.h"
#include "redis_client.h"

#define MAX_ARGUMENTS 100000

typedef struct connection {
  fh_handle handle;
  fh_redis redis;
} connection;

static int l_fd(lua_State *L);
static int l_append(lua_State *L);
static int l_flush(lua_State *L);
static int l_read(lua_State *L);
static int l_next(lua_State *L);
static int l_close(lua_State *L);

static const luaL_Reg methods[] = {
    {"fd", l_fd},     {"append", l_append}, {"flush", l_flush},
    {"read", l_read}, {"next", l_next},     {NULL, NULL},
};

static const fh_class class = {"flexhooks.redis", sizeof(connection), methods,
                               l_close};

static const char *const kinds[] = {
    [FH_REDIS_CONNECT] = "connect",   [FH_REDIS_CLOSED] = "reset",
    [FH_REDIS_PROTOCOL] = "protocol", [FH_REDIS_TOO_LARGE] = "too_large",
    [FH_REDIS_NO_MEMORY] = "queue",
};

static int push_failure(lua_State *L, fh_redis_status status,
                        const fh_redis *redis) {
  if (redis->failed)
    return fh_fail(L, kinds[status], redis->message);
  return fh_fail(L, kinds[status],
                 status == FH_REDIS_TOO_LARGE
                     ? "too much waits to be sent to Redis"
                     : "out of memory");
}

/* lua: new(host, port) -> connection | nil, kind, message */
static int l_new(lua_State *L) {
  const char *host = luaL_checkstring(L, 1);
  lua_Integer port = luaL_checkinteger(L, 2);
  luaL_argcheck(L, port > 0 && port < 65536, 2, "must be from 1 to 65535");

  connection *c = fh_new(L, &class);

  fh_redis_status status = fh_redis_open(&c->redis, host, (int)port);

  if (status != FH_REDIS_OK)
    return push_failure(L, status, &c->redis);
  fh_opened(&c->handle);
  return 1;
}

static int l_close(lua_State *L) {
  connection *c = fh_check(L, 1, &class);
  if (c->handle.open)
    fh_redis_close(&c->redis);
  fh_closed(&c->handle);
  return 0;
}

static int l_fd(lua_State *L) {
  connection *c = fh_check_open(L, 1, &class);
  lua_pushinteger(L, c->redis.fd);
  return 1;
}

static size_t count_of(lua_State *L, int index) {
  luaL_checktype(L, index, LUA_TTABLE);
  return lua_rawlen(L, index);
}

/* The strings of the list at `index`. */
static void read_list(lua_State *L, int index, size_t count,
                      const char **values, size_t *sizes) {
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, index, (int)i + 1);
    /* The table keeps the string alive after the pop. */
    luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, index,
                  "must hold strings only");
    values[i] = lua_tolstring(L, -1, &sizes[i]);
    lua_pop(L, 1);
  }
}

/* lua: append(list of strings, list of more | nil)
 *   -> true | nil, kind, message */
static int l_append(lua_State *L) {
  connection *c = fh_check_open(L, 1, &class);
  size_t first = count_of(L, 2);
  size_t more = lua_isnoneornil(L, 3) ? 0 : count_of(L, 3),
         count = first + more;
  luaL_argcheck(L, first > 0 && count <= MAX_ARGUMENTS, 2,
                "must hold from 1 to 100000 strings");
  /* Scratch memory as a userdata: an error raised below leaks nothing. */
  const char **values = lua_newuserdata(L, count * sizeof *values);
  size_t *sizes = lua_newuserdata(L, count * sizeof *sizes);
  read_list(L, 2, first, values, sizes);
  read_list(L, 3, more, values + first, sizes + first);

  fh_redis_status status =
      fh_redis_append(&c->redis, (int)count, values, sizes);

  if (status != FH_REDIS_OK)
    return push_failure(L, status, &c->redis);
  lua_pushboolean(L, 1);
  return 1;
}

/* true: all is done; false: not yet; or the error. */
static int push_progress(lua_State *L, fh_redis_status status,
                         const fh_redis *redis) {
  if (status != FH_REDIS_OK && status != FH_REDIS_AGAIN)
    return push_failure(L, status, redis);
  lua_pushboolean(L, status == FH_REDIS_OK);
  return 1;
}

static int l_flush(lua_State *L) {
  connection *c = fh_check_open(L, 1, &class);
  return push_progress(L, fh_redis_flush(&c->redis), &c->redis);
}

static int l_read(lua_State *L) {
  connection *c = fh_check_open(L, 1, &class);
  return push_progress(L, fh_redis_read(&c->redis), &c->redis);
}

/* Its depth is limited before it is parsed; see redis_reply.h. */
static void push_reply(lua_State *L, const redisReply *reply) {
  luaL_checkstack(L, 4, "reply");
  switch (reply->type) {
  case REDIS_REPLY_INTEGER:
    lua_pushinteger(L, (lua_Integer)reply->integer);
    return;
  case REDIS_REPLY_ARRAY:
    lua_createtable(L, (int)reply->elements, 0);
    for (size_t i = 0; i < reply->elements; i++) {
      push_reply(L, reply->element[i]);
      lua_rawseti(L, -2, (int)i + 1);
    }
    return;
  case REDIS_REPLY_STRING:
  case REDIS_REPLY_STATUS:
  case REDIS_REPLY_ERROR:
    lua_pushlstring(L, reply->str, reply->len);
    return;
  default:
    lua_pushboolean(L, 0);
  }
}

/* The error that a reply is, or that is anywhere in it; or NULL. */
static const redisReply *error_in(const redisReply *reply) {
  if (reply->type == REDIS_REPLY_ERROR)
    return reply;
  size_t count = reply->type == REDIS_REPLY_ARRAY ? reply->elements : 0;
  const redisReply *found = NULL;
  for (size_t i = 0; i < count && !found; i++)
    found = error_in(reply->element[i]);
  return found;
}

/* lua: next() -> nothing if none is whole yet
 *              | true, value       nil of Redis is false
 *              | false, message    an error reply, or one within an array
 *              | nil, kind, message */
static int l_next(lua_State *L) {
  connection *c = fh_check_open(L, 1, &class);
  const redisReply *reply = NULL;
  fh_redis_status status = fh_redis_next(&c->redis, &reply);
  if (status == FH_REDIS_AGAIN)
    return 0;
  if (status != FH_REDIS_OK)
    return push_failure(L, status, &c->redis);
  const redisReply *error = error_in(reply);
  lua_pushboolean(L, !error);
  push_reply(L, error ? error : reply);
  return 2;
}

static const luaL_Reg functions[] = {
    {"new", l_new},
    {"live", fh_live},
    {NULL, NULL},
};

FH_EXPORT int luaopen_flexhooks_core_redis(lua_State *L);

int luaopen_flexhooks_core_redis(lua_State *L) {
  fh_register(L, &class);
  lua_newtable(L);
  fh_set_functions(L, functions);
  return 1;
}
