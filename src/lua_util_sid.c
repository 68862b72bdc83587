/* core.field_checker: the fields of an event, checked in one call. */
#include "lua_core.h"
#include "lua_util_sid.h"

#include "util_sid.h"

enum { KINDS = 2 };

typedef struct rule {
  fh_slice name; /* of a string in the checker's list of names */
  char kinds[KINDS][2];
  int count; /* 0: any text, no SID */
  bool any_case;
} rule;

struct fh_field_rules {
  int count;
  rule list[FH_FIELD_RULES];
};

bool fh_field_fits(const fh_field_rules *rules, int number, fh_slice value) {
  const rule *r = &rules->list[number];
  for (int i = 0; i < r->count; i++)
    if (fh_is_sid(value, r->kinds[i], r->any_case))
      return true;
  return r->count == 0;
}

int fh_field_rule(const fh_field_rules *rules, fh_slice name) {
  for (int i = 0; i < rules->count; i++)
    if (fh_slice_equal(rules->list[i].name, name))
      return i;
  return -1;
}

static void push_name(lua_State *L, int i) {
  lua_rawgeti(L, lua_upvalueindex(1), i + 1);
}

/* Is the value on top what the rule wants? A SID that came empty says nothing:
 * it is taken out of the event, which is at index 1. */
static bool fits(lua_State *L, const fh_field_rules *all, int i) {
  int type = lua_type(L, -1);
  if (type != LUA_TSTRING || all->list[i].count == 0)
    return type == LUA_TNIL || type == LUA_TSTRING;
  fh_slice text = fh_bytes(L, -1);
  if (text.size > 0)
    return fh_field_fits(all, i, text);
  push_name(L, i);
  lua_pushnil(L);
  lua_rawset(L, 1);
  return true;
}

/* check(event) -> the name of a field that is not one text, or no SID of its
 * kind | nil */
static int check(lua_State *L) {
  const fh_field_rules *all = lua_touserdata(L, lua_upvalueindex(2));
  luaL_checktype(L, 1, LUA_TTABLE);
  for (int i = 0; i < all->count; i++) {
    lua_settop(L, 1);
    push_name(L, i);
    lua_rawget(L, 1);
    if (!fits(L, all, i)) {
      push_name(L, i);
      return 1;
    }
  }
  return 0;
}

const fh_field_rules *fh_test_fields(lua_State *L, int index) {
  if (lua_tocfunction(L, index) != check || !lua_getupvalue(L, index, 2))
    return NULL;
  const fh_field_rules *rules = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return rules;
}

static void read_kinds(lua_State *L, rule *r) {
  size_t size;
  r->count = (int)lua_rawlen(L, -1);
  luaL_argcheck(L, r->count <= KINDS, 1, "a field has at most two kinds");
  for (int i = 0; i < r->count; i++) {
    lua_rawgeti(L, -1, i + 1);
    const char *kind = luaL_checklstring(L, -1, &size);
    luaL_argcheck(L, size == 2, 1, "a kind is two letters");
    memcpy(r->kinds[i], kind, 2);
    lua_pop(L, 1);
  }
  lua_getfield(L, -1, "any_case");
  r->any_case = lua_toboolean(L, -1);
  lua_pop(L, 1);
}

/* field_checker{ Name = { kind | nil, kind | nil, any_case = }, … } -> check
 */
static int field_checker(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  lua_newtable(L);
  fh_field_rules *all = lua_newuserdata(L, sizeof *all);
  memset(all, 0, sizeof *all);
  lua_pushnil(L);
  while (lua_next(L, 1)) {
    luaL_argcheck(L, all->count < FH_FIELD_RULES, 1, "too many fields");
    luaL_argcheck(L, lua_type(L, -2) == LUA_TSTRING && lua_istable(L, -1), 1,
                  "names map to lists of kinds");
    all->list[all->count].name = fh_bytes(L, -2);
    read_kinds(L, &all->list[all->count++]);
    lua_pop(L, 1);
    lua_pushvalue(L, -1);
    lua_rawseti(L, 2, all->count);
  }
  lua_pushcclosure(L, check, 2);
  return 1;
}

void fh_open_sid(lua_State *L) {
  lua_pushcfunction(L, field_checker);
  lua_setfield(L, -2, "field_checker");
}
