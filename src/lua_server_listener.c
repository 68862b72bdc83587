/* flexhooks.core.listener: the listener and its requests. */
#include <string.h>

#include "server_listener.h"
#include "lua_support.h"

enum {
  NAMES = 32,
  HEADERS = 32,
  DEFAULT_ROUNDS = 1,
  SHARED = 40,      /* bytes; Lua makes a longer string anew each time … */
  KEPT = 128,       /* … and up to here we keep it, … */
  KEPT_HEADERS = 8, /* … if it is one of the first so many */
};

typedef struct listener_handle {
  fh_handle handle;
  fh_listener *listener;
} listener_handle;

/* A handle is used for request after request, and most have the same content
 * type and the same shared key: so headers of their length are kept. */
typedef struct request_handle {
  fh_handle handle;
  fh_exchange request;
  fh_slice kept[KEPT_HEADERS]; /* of the strings in the user value, a list */
} request_handle;

static const fh_class listener_class;
static const fh_class request_class;

/* --- requests ------------------------------------------------------------ */

static request_handle *check_request(lua_State *L) {
  return fh_check_open(L, 1, &request_class);
}

static void push_text(lua_State *L, fh_slice text) {
  if (text.data)
    lua_pushlstring(L, text.data, text.size);
  else
    lua_pushnil(L);
}

static void push_header(lua_State *L, request_handle *self, size_t i) {
  fh_slice text = fh_exchange_header(&self->request, i);
  if (i >= KEPT_HEADERS || text.size <= SHARED || text.size > KEPT) {
    push_text(L, text);
    return;
  }
  lua_getuservalue(L, 1);
  if (self->kept[i].data && fh_slice_equal(self->kept[i], text)) {
    lua_rawgeti(L, -1, (int)i + 1);
  } else {
    lua_pushlstring(L, text.data, text.size);
    self->kept[i] = fh_bytes(L, -1);
    lua_pushvalue(L, -1);
    lua_rawseti(L, -3, (int)i + 1);
  }
  lua_remove(L, -2);
}

/* request:read() -> method, target, body, header… | nil once it is over. The
 * headers are those that new{ headers = } named, in that order; one of the
 * last new{ repeatable = } that came more than once is ",". */
static int request_read(lua_State *L) {
  request_handle *self = check_request(L);
  const fh_exchange *request = &self->request;
  if (!request->connection)
    return 0;
  size_t count = fh_exchange_header_count(request);
  luaL_checkstack(L, (int)count + 6, "too many headers");
  push_text(L, fh_exchange_method(request));
  push_text(L, fh_exchange_target(request));
  push_text(L, fh_exchange_body(request));
  for (size_t i = 0; i < count; i++)
    push_header(L, self, i);
  return (int)count + 3;
}

/* request:peer() -> address | nil */
static int request_peer(lua_State *L) {
  char text[64];
  if (!fh_exchange_peer(&check_request(L)->request, text, sizeof text))
    return 0;
  lua_pushstring(L, text);
  return 1;
}

/* The strings stay where they are, in the table. */
static size_t read_headers(lua_State *L, int index,
                           const char *pairs[2 * HEADERS]) {
  size_t count = 0;
  if (lua_isnoneornil(L, index))
    return 0;
  luaL_checktype(L, index, LUA_TTABLE);
  lua_pushnil(L);
  while (lua_next(L, index)) {
    if (count == HEADERS)
      luaL_error(L, "reply: more than %d headers", HEADERS);
    if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TSTRING)
      luaL_error(L, "reply: headers map a string to a string");
    pairs[2 * count] = lua_tostring(L, -2);
    pairs[2 * count + 1] = lua_tostring(L, -1);
    if (strlen(pairs[2 * count + 1]) != lua_rawlen(L, -1))
      luaL_error(L, "reply: a header's value holds a NUL");
    count++;
    lua_pop(L, 1);
  }
  return count;
}

static int push_answer(lua_State *L, fh_reply_status answer) {
  switch (answer) {
  case FH_REPLY_SENT:
    lua_pushboolean(L, 1);
    return 1;
  case FH_REPLY_GONE:
    return fh_fail(L, "closed", "the request is over");
  case FH_REPLY_NO_MEMORY:
    return fh_fail(L, "listen", "out of memory");
  case FH_REPLY_BAD:
    break;
  }
  return luaL_error(L, "reply: the status or a header cannot be sent");
}

/* request:reply() answers 200 with {} as JSON;
 * request:reply(status, headers | nil, body | nil) anything else.
 * -> true | nil, kind, message: the peer has gone, or its time is over */
static int request_reply(lua_State *L) {
  const char *pairs[2 * HEADERS];
  size_t size = 0;
  request_handle *self = check_request(L);
  lua_settop(L, 4);
  if (lua_isnil(L, 2)) {
    fh_closed(&self->handle);
    return push_answer(L, fh_exchange_accept(&self->request));
  }
  lua_Number status = luaL_checknumber(L, 2);
  luaL_argcheck(L, status >= 200 && status <= 599, 2, "from 200 to 599");
  const char *body = luaL_optlstring(L, 4, "", &size);
  size_t count = read_headers(L, 3, pairs);
  fh_closed(&self->handle);
  return push_answer(L, fh_exchange_reply(&self->request, (unsigned)status,
                                          pairs, count, body, size));
}

static int request_close(lua_State *L) {
  request_handle *self = fh_check(L, 1, &request_class);
  if (self->handle.open)
    fh_exchange_release(&self->request);
  fh_closed(&self->handle);
  return 0;
}

static const luaL_Reg request_methods[] = {
    {"read", request_read},
    {"peer", request_peer},
    {"reply", request_reply},
    {NULL, NULL},
};

static const fh_class request_class = {"flexhooks.exchange",
                                       sizeof(request_handle), request_methods,
                                       request_close};

/* --- the listener -------------------------------------------------------- */

static fh_listener *check_listener(lua_State *L) {
  listener_handle *self = fh_check_open(L, 1, &listener_class);
  return self->listener;
}

typedef struct arguments {
  fh_slice host;
  size_t port;
  size_t fd;
  fh_listener_options options;
} arguments;

#define FIELD(name) offsetof(arguments, name)

static const fh_option option_list[] = {
    {"host", FH_STRING, FIELD(host), false},
    {"port", FH_SIZE, FIELD(port), false},
    {"fd", FH_SIZE, FIELD(fd), false},
    {"connections", FH_SIZE, FIELD(options.connections), false},
    {"per_address", FH_SIZE, FIELD(options.per_address), false},
    {"line", FH_SIZE, FIELD(options.limits.line), false},
    {"header", FH_SIZE, FIELD(options.limits.field), false},
    {"header_bytes", FH_SIZE, FIELD(options.limits.headers), false},
    {"header_count", FH_SIZE, FIELD(options.limits.count), false},
    {"repeatable", FH_SIZE, FIELD(options.repeatable), false},
    {"body", FH_SIZE, FIELD(options.limits.body), false},
    {"header_time", FH_NUMBER, FIELD(options.header_time), false},
    {"body_time", FH_NUMBER, FIELD(options.body_time), false},
    {"body_rate", FH_NUMBER, FIELD(options.body_rate), false},
    {"idle_time", FH_NUMBER, FIELD(options.idle_time), false},
    {"answer_time", FH_NUMBER, FIELD(options.answer_time), false},
    {NULL, FH_STRING, 0, false},
};

/* The names stay where they are, in options.headers. */
static size_t read_names(lua_State *L, int index, const char *names[NAMES]) {
  size_t count = 0;
  lua_getfield(L, index, "headers");
  if (lua_istable(L, -1)) {
    count = lua_rawlen(L, -1);
    if (count > NAMES)
      luaL_error(L, "option 'headers': more than %d names", NAMES);
    for (size_t i = 0; i < count; i++) {
      lua_rawgeti(L, -1, (int)i + 1);
      if (lua_type(L, -1) != LUA_TSTRING)
        luaL_error(L, "option 'headers' must be a list of names");
      names[i] = lua_tostring(L, -1);
      lua_pop(L, 1);
    }
  } else if (!lua_isnil(L, -1)) {
    luaL_error(L, "option 'headers' must be a list of names");
  }
  lua_pop(L, 1);
  return count;
}

static void read_arguments(lua_State *L, arguments *args,
                           const char *names[NAMES]) {
  const size_t none = (size_t)-1;
  memset(args, 0, sizeof *args);
  args->fd = none;
  fh_listener_defaults(&args->options);
  fh_options(L, 1, option_list, args);
  args->options.names = names;
  args->options.name_count = read_names(L, 1, names);
  if (args->host.data)
    args->options.host = args->host.data;
  if (args->port > 65535)
    luaL_error(L, "option 'port' must be from 0 to 65535");
  if (args->options.connections < 1 || args->options.connections > 1000000)
    luaL_error(L, "option 'connections' must be from 1 to 1000000");
  args->options.port = (unsigned)args->port;
  if (args->fd != none)
    args->options.fd = (int)args->fd;
}

/* new{ … } -> listener | nil, kind, message */
static int listener_new(lua_State *L) {
  arguments args;
  const char *names[NAMES];
  char message[256];
  luaL_checktype(L, 1, LUA_TTABLE);
  read_arguments(L, &args, names);
  listener_handle *self = fh_new(L, &listener_class);
  self->listener = fh_listener_new(&args.options, message, sizeof message);
  if (!self->listener)
    return fh_fail(L, "listen", message);
  fh_opened(&self->handle);
  return 1;
}

static int listener_close(lua_State *L) {
  listener_handle *self = fh_check(L, 1, &listener_class);
  if (self->handle.open)
    fh_listener_free(self->listener);
  self->listener = NULL;
  fh_closed(&self->handle);
  return 0;
}

static int listener_fd(lua_State *L) {
  lua_pushinteger(L, fh_listener_fd(check_listener(L)));
  return 1;
}

/* listener:timeout() -> seconds | nil */
static int listener_timeout(lua_State *L) {
  double seconds = fh_listener_timeout(check_listener(L));
  if (seconds < 0)
    return 0;
  lua_pushnumber(L, seconds);
  return 1;
}

/* listener:run([rounds]) */
static int listener_run(lua_State *L) {
  fh_listener *listener = check_listener(L);
  lua_Integer rounds = luaL_optinteger(L, 2, DEFAULT_ROUNDS);
  luaL_argcheck(L, rounds >= 1 && rounds <= 10000, 2, "from 1 to 10000");
  fh_listener_run(listener, (unsigned)rounds);
  return 0;
}

/* Pushes a closed handle: the one at `index`, where there is one, since making
 * and finalizing one costs as much as reading a request out of it. */
static request_handle *push_closed(lua_State *L, int index) {
  if (lua_isnoneornil(L, index)) {
    request_handle *made = fh_new(L, &request_class);
    lua_createtable(L, 1, 0);
    lua_setuservalue(L, -2);
    return made;
  }
  request_handle *used = fh_check(L, index, &request_class);
  luaL_argcheck(L, !used->handle.open, index, "the request is still open");
  lua_pushvalue(L, index);
  return used;
}

/* listener:next([closed request]) -> request | nil */
static int listener_next(lua_State *L) {
  fh_listener *listener = check_listener(L);
  if (!fh_listener_ready(listener))
    return 0;
  request_handle *request = push_closed(L, 2);
  if (!fh_listener_next(listener, &request->request))
    return 0;
  fh_opened(&request->handle);
  return 1;
}

static int listener_port(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)fh_listener_port(check_listener(L)));
  return 1;
}

static int listener_active(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)fh_listener_active(check_listener(L)));
  return 1;
}

/* listener:refused(status) -> requests refused with it before anyone saw them
 */
static int listener_refused(lua_State *L) {
  fh_listener *listener = check_listener(L);
  unsigned status = (unsigned)luaL_checkinteger(L, 2);
  lua_pushinteger(L, (lua_Integer)fh_listener_refused(listener, status));
  return 1;
}

static int listener_quiesce(lua_State *L) {
  fh_listener_quiesce(check_listener(L));
  return 0;
}

static const luaL_Reg listener_methods[] = {
    {"fd", listener_fd},
    {"timeout", listener_timeout},
    {"run", listener_run},
    {"next", listener_next},
    {"port", listener_port},
    {"active", listener_active},
    {"refused", listener_refused},
    {"quiesce", listener_quiesce},
    {NULL, NULL},
};

static const fh_class listener_class = {"flexhooks.listener",
                                        sizeof(listener_handle),
                                        listener_methods, listener_close};

static const luaL_Reg functions[] = {
    {"new", listener_new},
    {"live", fh_live},
    {NULL, NULL},
};

FH_EXPORT int luaopen_flexhooks_core_listener(lua_State *L);

int luaopen_flexhooks_core_listener(lua_State *L) {
  fh_register(L, &listener_class);
  fh_register(L, &request_class);
  lua_newtable(L);
  fh_set_functions(L, functions);
  return 1;
}
