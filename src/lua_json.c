/* core.json_check, core.json_decode. */
#include "json.h"
#include "json_number.h"
#include "lua_core.h"

static void read_limits(lua_State *L, fh_json_limits *limits) {
  lua_Number depth = luaL_checknumber(L, 2), name = luaL_checknumber(L, 3);
  luaL_argcheck(L, depth >= 1 && depth <= FH_JSON_DEPTH, 2,
                "from 1 to 1000 expected");
  luaL_argcheck(L, name >= 0 && name <= 0x7fffffff, 3,
                "from 0 to 2^31 expected");
  *limits = (fh_json_limits){(size_t)depth, (size_t)name, false};
}

static int refuse(lua_State *L, const char *wrong, size_t where) {
  lua_pushnil(L);
  lua_pushfstring(L, "%s (at byte %d)", wrong, (int)where + 1);
  return 2;
}

/* json_check(bytes, depth, name) -> true | nil, what is wrong and where */
static int json_check(lua_State *L) {
  size_t where;
  fh_json_limits limits;
  fh_slice text = fh_check_bytes(L, 1);
  read_limits(L, &limits);
  const char *wrong = fh_json_check(text, &limits, &where);
  if (wrong)
    return refuse(L, wrong, where);
  lua_pushboolean(L, 1);
  return 1;
}

/* --- decoding -------------------------------------------------------------
 * Open containers lie on the Lua stack, an object with the name of the member
 * that is being read above it. Nothing is held beside them: an error raised
 * on the way leaks nothing. */

enum {
  SCRATCH = 6, /* where on the stack a large string is unescaped */
  ARRAY = 7,   /* the metatable of arrays, once there is one */
  SMALL = 1024,
  MEMBERS = 4, /* that an object probably has */
};

typedef struct container {
  int count;   /* of its elements or members so far */
  bool object; /* or an array */
  bool nulls;  /* there are some in it */
} container;

typedef struct builder {
  lua_State *L;
  fh_json_reader reader;
  bool keep_null;
  const char *wrong; /* what the reader does not see */
  size_t room;       /* of the userdata at SCRATCH */
  char small[SMALL];
  container open[FH_JSON_DEPTH];
} builder;

static void push_number(lua_State *L, fh_slice text) {
#if LUA_VERSION_NUM >= 503
  int64_t whole;
  if (fh_json_whole(text.data, text.size, &whole)) {
    lua_pushinteger(L, whole);
    return;
  }
#endif
  lua_pushnumber(L, fh_json_double(text.data, text.size));
}

/* Where `size` bytes can be written. */
static char *scratch(builder *b, size_t size) {
  if (size <= SMALL)
    return b->small;
  if (size > b->room) {
    lua_newuserdata(b->L, 2 * size);
    lua_replace(b->L, SCRATCH);
    b->room = 2 * size;
  }
  return lua_touserdata(b->L, SCRATCH);
}

static void push_string(builder *b) {
  const fh_json_reader *r = &b->reader;
  const char *bytes = r->text.data;
  if (r->size < r->text.size) {
    char *out = scratch(b, r->size);
    fh_json_unescape(r, out);
    bytes = out;
  }
  lua_pushlstring(b->L, bytes, r->size);
}

static void push_name(builder *b) {
  container *object = &b->open[b->reader.depth - 1];
  push_string(b);
  if (object->count++ == 0)
    return;
  lua_pushvalue(b->L, -1);
  lua_rawget(b->L, -3);
  if (!lua_isnil(b->L, -1))
    b->wrong = fh_json_twice;
  lua_pop(b->L, 1);
}

static void mark_array(lua_State *L) {
  if (lua_isnil(L, ARRAY)) {
    luaL_getmetatable(L, FH_JSON_ARRAY);
    lua_replace(L, ARRAY);
  }
  lua_pushvalue(L, ARRAY);
  lua_setmetatable(L, -2);
}

static void open_container(builder *b, bool object) {
  luaL_checkstack(b->L, 8, "nested too deeply");
  lua_createtable(b->L, 0, object ? MEMBERS : 0);
  if (!object)
    mark_array(b->L);
  b->open[b->reader.depth - 1] = (container){0, object, false};
}

/* Until now a null held the place of its name, or the length of its array. */
static void drop_members(lua_State *L) {
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    bool null = lua_islightuserdata(L, -1);
    lua_pop(L, 1);
    if (null) {
      lua_pushvalue(L, -1);
      lua_pushnil(L);
      lua_rawset(L, -4);
    }
  }
}

static void drop_elements(lua_State *L, int count) {
  for (int i = 1; i <= count; i++) {
    lua_rawgeti(L, -1, i);
    bool null = lua_islightuserdata(L, -1);
    lua_pop(L, 1);
    if (null) {
      lua_pushnil(L);
      lua_rawseti(L, -2, i);
    }
  }
}

static void close_container(builder *b) {
  const container *closed = &b->open[b->reader.depth];
  if (!closed->nulls || b->keep_null)
    return;
  if (closed->object)
    drop_members(b->L);
  else
    drop_elements(b->L, closed->count);
}

/* Puts the value on top into the container below it, where there is one. */
static void place(builder *b) {
  if (b->reader.depth == 0)
    return;
  container *into = &b->open[b->reader.depth - 1];
  if (into->object)
    lua_rawset(b->L, -3);
  else
    lua_rawseti(b->L, -2, ++into->count);
}

static void push_null(builder *b) {
  lua_pushlightuserdata(b->L, NULL);
  if (b->reader.depth > 0)
    b->open[b->reader.depth - 1].nulls = true;
}

/* Pushes what a token brings. True where that is a whole value. */
static bool push_token(builder *b, fh_json_token token) {
  switch (token) {
  case FH_JSON_NULL:
    push_null(b);
    return true;
  case FH_JSON_FALSE:
  case FH_JSON_TRUE:
    lua_pushboolean(b->L, token == FH_JSON_TRUE);
    return true;
  case FH_JSON_NUMBER:
    push_number(b->L, b->reader.text);
    return true;
  case FH_JSON_STRING:
    push_string(b);
    return true;
  case FH_JSON_END_ARRAY:
  case FH_JSON_END_OBJECT:
    close_container(b);
    return true;
  case FH_JSON_NAME:
    push_name(b);
    return false;
  default:
    open_container(b, token == FH_JSON_OBJECT);
    return false;
  }
}

/* Leaves the value on top of the stack; or what is wrong, and anything. */
static const char *build(builder *b) {
  fh_json_token token = fh_json_next(&b->reader);
  while (token > FH_JSON_END) {
    if (push_token(b, token))
      place(b);
    if (b->wrong)
      return b->wrong;
    token = fh_json_next(&b->reader);
  }
  return b->reader.wrong;
}

/* json_decode(bytes, depth, name, keep_null, any_bytes)
 *     -> value | nil, what is wrong and where. A null becomes nil; with
 * keep_null, those within a table become json_null. With any_bytes strings
 * need not be UTF-8. Raises without memory. */
static int json_decode(lua_State *L) {
  builder b;
  fh_json_limits limits;
  fh_slice text = fh_check_bytes(L, 1);
  read_limits(L, &limits);
  limits.bytes = lua_toboolean(L, 5);
  lua_settop(L, 5);
  lua_settop(L, ARRAY);
  b.L = L;
  b.keep_null = lua_toboolean(L, 4);
  b.wrong = NULL;
  b.room = 0;
  fh_json_begin(&b.reader, text, &limits);
  const char *wrong = build(&b);
  if (wrong)
    return refuse(L, wrong,
                  text.size > 0 ? (size_t)(b.reader.at - text.data) : 0);
  if (!lua_islightuserdata(L, -1))
    return 1;
  lua_pushnil(L);
  lua_pushliteral(L, "it is null");
  return 2;
}

static const luaL_Reg functions[] = {
    {"json_check", json_check},
    {"json_decode", json_decode},
    {NULL, NULL},
};

void fh_open_json(lua_State *L) {
  fh_set_functions(L, functions);
  lua_pushlightuserdata(L, NULL); /* the same as lua-cjson's null */
  lua_setfield(L, -2, "json_null");
  luaL_newmetatable(L, FH_JSON_ARRAY);
  lua_pushliteral(L, FH_JSON_ARRAY);
  lua_setfield(L, -2, "__name");
  lua_setfield(L, -2, "json_array");
}
