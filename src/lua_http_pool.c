/* core.pool and core.url. */
#include <stdlib.h>
#include <string.h>

#include "http_pool.h"
#include "json_text.h"
#include "lua_core.h"
#include "lua_util_poller.h"
#include "lua_util_secret.h"
#include "http_url.h"

/* What a request asks for; a pool's are for requests that say nothing else. */
typedef struct call_options {
  fh_slice method, url, body, proxy, ca_file;
  double timeout, connect_timeout, stall_timeout;
  size_t max_response;
  bool private_addresses;
} call_options;

typedef struct pool {
  fh_handle handle;
  fh_pool pool;
  call_options defaults; /* the user value keeps the strings */
} pool;

typedef struct transfer {
  fh_handle handle;
  fh_transfer transfer;
} transfer;

static int pool_close(lua_State *L);
static int pool_start(lua_State *L);
static int pool_next(lua_State *L);
static int request_close(lua_State *L);
static int request_cancel(lua_State *L);
static int request_result(lua_State *L);

static const luaL_Reg pool_methods[] = {
    {"start", pool_start},
    {"next", pool_next},
    {NULL, NULL},
};

static const fh_class pool_class = {
    .name = "flexhooks.pool",
    .size = sizeof(pool),
    .methods = pool_methods,
    .close = pool_close,
};

static const luaL_Reg request_methods[] = {
    {"cancel", request_cancel},
    {"result", request_result},
    {NULL, NULL},
};

static const fh_class request_class = {
    .name = "flexhooks.request",
    .size = sizeof(transfer),
    .methods = request_methods,
    .close = request_close,
};

/* --- the pool -------------------------------------------------------------
 */

#define FIELD(name) offsetof(call_options, name)

static const fh_option pool_list[] = {
    {"timeout", FH_NUMBER, FIELD(timeout), false},
    {"connect_timeout", FH_NUMBER, FIELD(connect_timeout), false},
    {"stall_timeout", FH_NUMBER, FIELD(stall_timeout), false},
    {"max_response", FH_SIZE, FIELD(max_response), false},
    {"private_addresses", FH_BOOLEAN, FIELD(private_addresses), false},
    {"proxy", FH_STRING, FIELD(proxy), false},
    {"ca_file", FH_STRING, FIELD(ca_file), false},
    {NULL, FH_STRING, 0, false},
};

/* A C string to libcurl, which would cut it at a NUL. */
static const char *c_string(lua_State *L, fh_slice slice, const char *name) {
  if (slice.data && strlen(slice.data) != slice.size)
    luaL_error(L, "option '%s' holds a NUL", name);
  return slice.data;
}

/* The pool's user value holds the poller, the options, and each request from
 * its start until pool:next gives it out. */
static void keep(lua_State *L, int poller, int options) {
  lua_newtable(L);
  lua_pushvalue(L, poller);
  lua_setfield(L, -2, "poller");
  if (!lua_isnoneornil(L, options)) {
    lua_getfield(L, options, "proxy");
    lua_setfield(L, -2, "proxy");
    lua_getfield(L, options, "ca_file");
    lua_setfield(L, -2, "ca_file");
  }
  lua_setuservalue(L, -2);
}

static size_t read_pool(lua_State *L, int index, call_options *options) {
  size_t connections = 0;
  const fh_option own[] = {
      {"max_connections", FH_SIZE, 0, false},
      {NULL, FH_SIZE, 0, false},
  };
  if (lua_isnoneornil(L, index))
    return 0;
  fh_options(L, index, pool_list, options);
  fh_options(L, index, own, &connections);
  luaL_argcheck(L, connections <= 65536, index,
                "max_connections is too large");
  c_string(L, options->proxy, "proxy");
  c_string(L, options->ca_file, "ca_file");
  return connections;
}

/* lua: pool(poller, { max_connections =, timeout =, … })
 *          -> pool | nil, kind, message */
static int new_pool(lua_State *L) {
  call_options options = {.method = {"GET", 3},
                          .max_response = 4194304,
                          .private_addresses = true};
  fh_poller *poller = fh_check_poller(L, 1);
  size_t connections = read_pool(L, 2, &options);
  lua_settop(L, 2);
  pool *self = fh_new(L, &pool_class);
  self->defaults = options;
  keep(L, 1, 2);
  if (!fh_http_init() || !fh_pool_open(&self->pool, poller, (long)connections))
    return fh_fail(L, "connect", "libcurl cannot be initialised");
  fh_opened(&self->handle);
  return 1;
}

static int pool_close(lua_State *L) {
  pool *self = fh_check(L, 1, &pool_class);
  if (self->handle.open)
    fh_pool_close(&self->pool);
  fh_closed(&self->handle);
  return 0;
}

/* --- starting a request ---------------------------------------------------
 */

static const fh_option call_list[] = {
    {"method", FH_STRING, FIELD(method), false},
    {"url", FH_STRING, FIELD(url), true},
    {"body", FH_STRING, FIELD(body), false},
    {NULL, FH_STRING, 0, false},
};

static fh_text text(fh_slice slice) {
  return (fh_text){slice.data, slice.size};
}

typedef struct header_list {
  fh_header items[FH_MAX_HEADERS + 1]; /* one too many is told from enough */
  size_t count;
} header_list;

/* Makes text of a fraction on top: what Lua would make of it has the decimal
 * point of the process's locale. */
static void spell_fraction(lua_State *L) {
  const lua_Number exact = 9007199254740992.0; /* 2^53: whole from there on */
  lua_Number number = lua_tonumber(L, -1);
  if (!(number > -exact && number < exact) ||
      (lua_Number)(long long)number == number)
    return;
  char text[FH_JSON_NUMBER_ROOM];
  const char *end = fh_json_put_number(text, (double)number);
  lua_pop(L, 1);
  lua_pushlstring(L, text, (size_t)(end - text));
}

/* The value on top, which is popped. One made from a number is kept further
 * down, so that its text stays. */
static fh_text pop_text(lua_State *L) {
  fh_text value;
  int type = lua_type(L, -1);
  if (type != LUA_TNUMBER && type != LUA_TSTRING)
    luaL_error(L,
               "a header's value must be a string, a number or a list of "
               "them, got %s",
               lua_typename(L, type));
  if (type == LUA_TNUMBER)
    spell_fraction(L);
  value.data = lua_tolstring(L, -1, &value.size);
  if (type == LUA_TSTRING) {
    lua_pop(L, 1);
    return value;
  }
  luaL_checkstack(L, 4, "too many headers");
  lua_insert(L, 4);
  return value;
}

static void add_header(header_list *list, fh_text name, fh_text value) {
  if (list->count <= FH_MAX_HEADERS)
    list->items[list->count++] = (fh_header){name, value};
}

/* "Name: value" */
static void add_line(header_list *list, fh_text line) {
  const char *colon = memchr(line.data, ':', line.size);
  size_t name = colon ? (size_t)(colon - line.data) : line.size;
  size_t value = colon ? name + 1 : name;
  add_header(list, (fh_text){line.data, name},
             (fh_text){line.data + value, line.size - value});
}

/* The entry whose key and value are on top; pops the value. */
static void add_entry(lua_State *L, header_list *list) {
  if (lua_type(L, -2) == LUA_TNUMBER) {
    add_line(list, pop_text(L));
    return;
  }
  if (lua_type(L, -2) != LUA_TSTRING)
    luaL_error(L, "a header's name must be a string, got %s",
               luaL_typename(L, -2));
  fh_text name;
  name.data = lua_tolstring(L, -2, &name.size);
  if (!lua_istable(L, -1)) {
    add_header(list, name, pop_text(L));
    return;
  }
  size_t count = lua_rawlen(L, -1);
  for (size_t i = 1; i <= count && list->count <= FH_MAX_HEADERS; i++) {
    lua_rawgeti(L, -1, (int)i);
    add_header(list, name, pop_text(L));
  }
  lua_pop(L, 1);
}

/* name -> value or list of values; lines are allowed among them. */
static void read_headers(lua_State *L, int table, header_list *list) {
  list->count = 0;
  lua_getfield(L, table, "headers");
  if (lua_isnil(L, -1))
    return;
  luaL_argcheck(L, lua_istable(L, -1), table,
                "option 'headers' must be a table");
  lua_pushnil(L);
  while (list->count <= FH_MAX_HEADERS && lua_next(L, -2))
    add_entry(L, list);
}

static const fh_secret *read_authorization(lua_State *L, int table) {
  lua_getfield(L, table, "authorization");
  return lua_isnil(L, -1) ? NULL : fh_check_secret(L, lua_gettop(L));
}

static void read_call(lua_State *L, int table, const call_options *defaults,
                      fh_request *request, header_list *headers) {
  call_options options = *defaults;
  fh_options(L, table, call_list, &options);
  fh_options(L, table, pool_list, &options);
  *request = (fh_request){
      .method = text(options.method),
      .url = text(options.url),
      .body = text(options.body),
      .timeout = options.timeout,
      .connect_timeout = options.connect_timeout,
      .stall_timeout = options.stall_timeout,
      .max_response = options.max_response,
      .proxy = c_string(L, options.proxy, "proxy"),
      .ca_file = c_string(L, options.ca_file, "ca_file"),
      .public_only = !options.private_addresses,
  };
  request->authorization = read_authorization(L, table);
  read_headers(L, table, headers);
  request->headers = headers->items;
  request->header_count = headers->count;
}

/* Pushes a closed request: the one at `index`, or a new one where there is
 * none. A new one costs its collection and its finalizer. */
static transfer *take_request(lua_State *L, int index) {
  if (lua_isnil(L, index))
    return fh_new(L, &request_class);
  transfer *spare = fh_check(L, index, &request_class);
  luaL_argcheck(L, !spare->handle.open, index, "the request is not closed");
  spare->transfer = (fh_transfer){0};
  lua_pushvalue(L, index);
  return spare;
}

/* lua: pool:start({ url =, method =, headers =, … }, closed request | nil)
 *          -> request | nil, kind, message */
static int pool_start(lua_State *L) {
  fh_request request;
  header_list headers;
  fh_refusal refusal;
  pool *self = fh_check_open(L, 1, &pool_class);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 3);
  read_call(L, 2, &self->defaults, &request, &headers);
  lua_getuservalue(L, 1);
  transfer *made = take_request(L, 3);
  lua_pushvalue(L, -1);
  made->transfer.slot = luaL_ref(L, -3);
  if (!fh_pool_start(&self->pool, &made->transfer, &request, &refusal)) {
    luaL_unref(L, -2, made->transfer.slot);
    return fh_fail(L, refusal.kind, refusal.message);
  }
  fh_opened(&made->handle);
  return 1;
}

/* lua: check_call({ url =, method =, headers =, … }) -> true | nil, message
 * For what sends requests by other ways than a pool. */
static int check_call(lua_State *L) {
  static const call_options defaults = {.method = {"GET", 3}};
  fh_request request;
  header_list headers;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 3); /* headers that are numbers go above these */
  read_call(L, 1, &defaults, &request, &headers);
  const char *wrong = fh_request_check(&request);
  if (!wrong) {
    lua_pushboolean(L, true);
    return 1;
  }
  lua_pushnil(L);
  lua_pushstring(L, wrong);
  return 2;
}

/* lua: pool:next() -> request | nil */
static int pool_next(lua_State *L) {
  pool *self = fh_check_open(L, 1, &pool_class);
  fh_transfer *ended = fh_pool_next(&self->pool);
  if (!ended)
    return 0;
  lua_getuservalue(L, 1);
  lua_rawgeti(L, -1, ended->slot);
  luaL_unref(L, -2, ended->slot);
  return 1;
}

/* --- a request ------------------------------------------------------------
 */

static int request_close(lua_State *L) {
  transfer *self = fh_check(L, 1, &request_class);
  fh_transfer_free(&self->transfer);
  fh_closed(&self->handle);
  return 0;
}

/* lua: request:cancel() */
static int request_cancel(lua_State *L) {
  transfer *self = fh_check_open(L, 1, &request_class);
  fh_transfer_cancel(&self->transfer);
  return 0;
}

/* Names in lower case; the values of a repeated one are joined with ", ". */
static void push_headers(lua_State *L, const fh_response *from) {
  size_t at = 0;
  fh_text name, value;
  lua_createtable(L, 0, 8);
  while (fh_response_header(from, &at, &name, &value)) {
    lua_pushlstring(L, name.data, name.size);
    lua_pushvalue(L, -1);
    lua_rawget(L, -3);
    if (lua_isnil(L, -1)) {
      lua_pop(L, 1);
      lua_pushlstring(L, value.data, value.size);
    } else {
      lua_pushliteral(L, ", ");
      lua_pushlstring(L, value.data, value.size);
      lua_concat(L, 3);
    }
    lua_rawset(L, -3);
  }
}

/* lua: request:result() -> status, headers, body
 *                        | nil, kind, message, sent; raises while it runs */
static int request_result(lua_State *L) {
  transfer *self = fh_check_open(L, 1, &request_class);
  const fh_transfer *from = &self->transfer;
  luaL_argcheck(L, from->ended, 1, "the request still runs");
  if (from->kind) {
    fh_fail(L, from->kind, from->message);
    lua_pushboolean(L, from->sent);
    return 4;
  }
  const fh_buffer *body = &from->response.body;
  lua_pushinteger(L, from->status);
  push_headers(L, &from->response);
  lua_pushlstring(L, body->data ? body->data : "", body->size);
  return 3;
}

/* --- URLs -----------------------------------------------------------------
 */

/* A handle, so that running out of memory midway leaks nothing. */
typedef struct url {
  fh_handle handle;
  CURLU *parsed;
  char *part;
} url;

static int url_close(lua_State *L);

static const luaL_Reg url_methods[] = {{NULL, NULL}};

static const fh_class url_class = {
    .name = "flexhooks.url",
    .size = sizeof(url),
    .methods = url_methods,
    .close = url_close,
};

static void url_release(url *self) {
  curl_free(self->part);
  self->part = NULL;
  curl_url_cleanup(self->parsed);
  self->parsed = NULL;
  fh_closed(&self->handle);
}

static int url_close(lua_State *L) {
  url_release(fh_check(L, 1, &url_class));
  return 0;
}

/* Sets a field of the table on top, unless the URL lacks the part. */
static void set_part(lua_State *L, url *self, CURLUPart part,
                     const char *name) {
  CURLUcode code = curl_url_get(self->parsed, part, &self->part, 0);
  if (code == CURLUE_OUT_OF_MEMORY)
    luaL_error(L, "not enough memory");
  if (code != CURLUE_OK)
    return;
  if (part == CURLUPART_PORT)
    lua_pushinteger(L, (lua_Integer)strtol(self->part, NULL, 10));
  else
    lua_pushstring(L, self->part);
  lua_setfield(L, -2, name);
  curl_free(self->part);
  self->part = NULL;
}

/* lua: url(text) -> { scheme=, user=, … } | nil, message */
static int parse_url(lua_State *L) {
  static const struct {
    CURLUPart part;
    const char *name;
  } parts[] = {
      {CURLUPART_SCHEME, "scheme"},     {CURLUPART_USER, "user"},
      {CURLUPART_PASSWORD, "password"}, {CURLUPART_HOST, "host"},
      {CURLUPART_PORT, "port"},         {CURLUPART_PATH, "path"},
      {CURLUPART_QUERY, "query"},       {CURLUPART_FRAGMENT, "fragment"},
  };
  size_t size;
  const char *given = luaL_checklstring(L, 1, &size);
  url *self = fh_new(L, &url_class);
  const char *wrong = fh_url_parse(&self->parsed, given, size);
  if (wrong) {
    lua_pushnil(L);
    lua_pushstring(L, wrong);
    return 2;
  }
  fh_opened(&self->handle);
  lua_newtable(L);
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
    set_part(L, self, parts[i].part, parts[i].name);
  url_release(self);
  return 1;
}

void fh_open_http(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"pool", new_pool},
      {"check_call", check_call},
      {"url", parse_url},
      {NULL, NULL},
  };
  fh_register(L, &pool_class);
  fh_register(L, &request_class);
  fh_register(L, &url_class);
  fh_set_functions(L, functions);
}
