/* Verifiers: deliveries in, events or reasons out. */
#include "sig_account.h"
#include "lua_core.h"
#include "lua_sig_key.h"
#include "lua_util_sid.h"
#include "lua_sig_verify.h"

enum {
  MAX_KEYS = 16,
  MAX_BODY = 1 << 30,
  STACK_SCRATCH = 8192, /* up to here scratch memory is on the C stack */
  NAMES = 64,
  CHECKER = NAMES + 1, /* place of the field checker in the user value */
};

#define UNFIT (1U << FH_FIELD_RULES)

/* One event has much the same names as another, and Lua hashes every string
 * that it is handed: so those of verified events are kept, each in the place
 * that its first letter and its size give it. */
typedef struct kept_name {
  fh_slice text; /* of the string in the user value, a list */
  int rule;      /* what the checker there has for it, or -1 */
} kept_name;

typedef struct verifier_handle {
  fh_handle handle;
  fh_verifier verifier;
  const fh_field_rules *rules; /* NULL: fields are not looked at */
  kept_name names[NAMES];
} verifier_handle;

static int verifier_close(lua_State *L);
static int verifier_form(lua_State *L);
static int verifier_query(lua_State *L);
static int verifier_json(lua_State *L);
static int verifier_account(lua_State *L);

static const luaL_Reg verifier_methods[] = {
    {"form", verifier_form},
    {"query", verifier_query},
    {"json", verifier_json},
    {"account", verifier_account},
    {NULL, NULL},
};

static const fh_class verifier_class = {"flexhooks.verifier",
                                        sizeof(verifier_handle),
                                        verifier_methods, verifier_close};

typedef struct verifier_options {
  fh_slice url;
  fh_form_limits limits;
  size_t body;
} verifier_options;

static const fh_option verifier_list[] = {
    {"url", FH_STRING, offsetof(verifier_options, url), true},
    {"params", FH_SIZE, offsetof(verifier_options, limits.params), false},
    {"name", FH_SIZE, offsetof(verifier_options, limits.name), false},
    {"value", FH_SIZE, offsetof(verifier_options, limits.value), false},
    {"body", FH_SIZE, offsetof(verifier_options, body), false},
    {NULL, FH_STRING, 0, false},
};

/* verifier(options) -> verifier | nil, "config", message */
static int verifier_new(lua_State *L) {
  verifier_options options = {
      .limits = {.params = 1000, .name = 127, .value = 65536},
      .body = 262144,
  };
  fh_options(L, 1, verifier_list, &options);
  luaL_argcheck(L, options.body <= MAX_BODY, 1,
                "option 'body' must be at most 2^30");
  const char *wrong = fh_signed_url_check(options.url);
  if (wrong)
    return fh_fail(L, "config", lua_pushfstring(L, "the URL %s", wrong));
  verifier_handle *self = fh_new(L, &verifier_class);
  if (!fh_verifier_open(&self->verifier, options.url, &options.limits,
                        options.body))
    return luaL_error(L, "not enough memory");
  fh_opened(&self->handle);
  lua_createtable(L, CHECKER, 0);
  lua_getfield(L, 1, "fields");
  self->rules = fh_test_fields(L, -1);
  luaL_argcheck(L, self->rules || lua_isnil(L, -1), 1,
                "option 'fields' must be a field checker");
  lua_rawseti(L, -2, CHECKER);
  lua_setuservalue(L, -2);
  return 1;
}

static int verifier_close(lua_State *L) {
  verifier_handle *self = fh_check(L, 1, &verifier_class);
  if (self->handle.open)
    fh_verifier_close(&self->verifier);
  fh_closed(&self->handle);
  return 0;
}

static fh_slice optional_bytes(lua_State *L, int index) {
  return lua_isnoneornil(L, index) ? (fh_slice){NULL, 0}
                                   : fh_check_bytes(L, index);
}

static fh_key *check_key(lua_State *L, int index) {
  fh_key *key = fh_test_key(L, index);
  if (!key)
    luaL_argerror(L, 2, "an open key, or a list of 1 to 16, expected");
  return key;
}

/* Allocates nothing, so that no finalizer can close a key that was read. */
static size_t check_keys(lua_State *L, fh_key *keys[MAX_KEYS]) {
  if (lua_type(L, 2) != LUA_TTABLE) {
    keys[0] = check_key(L, 2);
    return 1;
  }
  size_t count = lua_rawlen(L, 2);
  if (count < 1 || count > MAX_KEYS)
    luaL_argerror(L, 2, "an open key, or a list of 1 to 16, expected");
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, 2, (int)i + 1);
    keys[i] = check_key(L, -1);
    lua_pop(L, 1);
  }
  return count;
}

static void push_values(lua_State *L, const fh_field *fields, size_t count) {
  lua_createtable(L, (int)count, 0);
  for (size_t i = 0; i < count; i++) {
    lua_pushlstring(L, fields[i].value.data, fields[i].value.size);
    lua_rawseti(L, -2, (int)i + 1);
  }
}

static size_t place_of(fh_slice name) {
  size_t first = name.size > 0 ? (unsigned char)name.data[0] : 0;
  return (8 * first + name.size) % NAMES;
}

/* Pushes a name; returns the number of its rule, or -1. Between the string's
 * making and its keeping nothing is allocated, so that no finalizer can put
 * another name into its place. */
static int push_name(lua_State *L, verifier_handle *self, int list,
                     fh_slice name) {
  size_t place = place_of(name);
  kept_name *kept = &self->names[place];
  if (kept->text.data && fh_slice_equal(kept->text, name)) {
    lua_rawgeti(L, list, (int)place + 1);
    return kept->rule;
  }
  lua_pushlstring(L, name.data, name.size);
  kept->text = fh_bytes(L, -1);
  kept->rule = self->rules ? fh_field_rule(self->rules, name) : -1;
  lua_pushvalue(L, -1);
  lua_rawseti(L, list, (int)place + 1);
  return kept->rule;
}

/* The bit of a field's rule, UNFIT where `count` values do not keep it. */
static unsigned look(const verifier_handle *self, int rule,
                     const fh_field *field, size_t count) {
  if (rule < 0)
    return 0;
  bool fits = count == 1 && fh_field_fits(self->rules, rule, field->value);
  return fits ? 1U << rule : UNFIT;
}

/* Pushes a table name -> value, or sorted list of values, and returns the bits
 * of all its fields. Allocates, so that a finalizer may run and verify in its
 * turn: the event is in this call's own memory alone. */
static unsigned push_event(lua_State *L, verifier_handle *self,
                           const fh_event *event) {
  const fh_field *field = event->fields, *end = field + event->count, *next;
  unsigned shape = 0;
  lua_getuservalue(L, 1);
  int list = lua_gettop(L);
  lua_createtable(L, 0, (int)event->count);
  for (; field < end; field = next) {
    next = field + 1;
    while (next < end && fh_slice_equal(next->name, field->name))
      next++;
    size_t count = (size_t)(next - field);
    shape |= look(self, push_name(L, self, list, field->name), field, count);
    if (count == 1)
      lua_pushlstring(L, field->value.data, field->value.size);
    else
      push_values(L, field, count);
    lua_rawset(L, -3);
  }
  return shape;
}

static const char *const reasons[] = {
    [FH_TOO_LARGE] = "too_large",
    [FH_MALFORMED] = "malformed",
    [FH_SIGNATURE_MISSING] = "signature_missing",
    [FH_SIGNATURE_SHAPE] = "signature_shape",
    [FH_ALGORITHM_DIFFERS] = "algorithm_differs",
    [FH_QUERY_DIFFERS] = "query_differs",
    [FH_BODY_UNSIGNED] = "body_unsigned",
    [FH_BODY_DIFFERS] = "body_differs",
    [FH_SIGNATURE_DIFFERS] = "signature_differs",
};

int fh_push_refusal(lua_State *L, fh_verdict verdict) {
  if (verdict == FH_CRYPTO_FAILED)
    return luaL_error(L, "libcrypto failed");
  lua_pushnil(L);
  lua_pushstring(L, reasons[verdict]);
  return 2;
}

static void push_id(lua_State *L, bool made, const char id[FH_ID_SIZE]) {
  if (made)
    lua_pushlstring(L, id, FH_ID_SIZE);
  else
    lua_pushnil(L);
}

static int verify(lua_State *L, const fh_delivery *delivery) {
  union {
    char bytes[STACK_SCRATCH];
    void *aligned;
  } local;
  fh_key *keys[MAX_KEYS];
  fh_event event;
  verifier_handle *self = fh_check_open(L, 1, &verifier_class);
  size_t room = fh_verify_room(&self->verifier, delivery);
  if (room == 0)
    return fh_push_refusal(L, FH_TOO_LARGE);
  void *scratch =
      room <= sizeof local ? local.bytes : lua_newuserdata(L, room);
  fh_check_open(L, 1, &verifier_class);
  size_t count = check_keys(L, keys);
  fh_verdict verdict =
      fh_verify(&self->verifier, delivery, keys, count, scratch, &event);
  if (verdict != FH_VERIFIED)
    return fh_push_refusal(L, verdict);
  unsigned shape = UNFIT;
  if (delivery->kind == FH_JSON)
    lua_pushboolean(L, 1);
  else
    shape = push_event(L, self, &event);
  push_id(L, delivery->token.data, event.id);
  push_id(L, delivery->want_twin, event.twin);
  if (!self->rules || shape & UNFIT)
    return 3;
  lua_pushinteger(L, (lua_Integer)shape);
  return 4;
}

/* One order of arguments for every kind, so that the caller need not tell them
 * apart; a query's fields are in the query, whatever the body. */
static int verify_kind(lua_State *L, fh_delivery_kind kind) {
  fh_delivery delivery = {
      .kind = kind,
      .signature = optional_bytes(L, 3),
      .query = optional_bytes(L, 4),
      .token = optional_bytes(L, 6),
      .want_twin = lua_toboolean(L, 7),
  };
  if (kind != FH_QUERY)
    delivery.body = fh_check_bytes(L, 5);
  return verify(L, &delivery);
}

/* verifier:form(keys, signature, query, body, token, want_twin)
 * -> event, id | nil, twin | nil, shape | nil */
static int verifier_form(lua_State *L) {
  return verify_kind(L, FH_FORM);
}

/* verifier:json(keys, signature, query, body, token, want_twin)
 * -> true, id | nil, twin | nil */
static int verifier_json(lua_State *L) {
  return verify_kind(L, FH_JSON);
}

/* verifier:query(keys, signature, query, body, token, want_twin)
 * -> event, id | nil, twin | nil, shape | nil */
static int verifier_query(lua_State *L) {
  return verify_kind(L, FH_QUERY);
}

/* verifier:account(bytes, kind) -> "AC…", or nothing */
static int verifier_account(lua_State *L) {
  static const char *const kinds[] = {"form", "query", "json", NULL};
  verifier_handle *self = fh_check_open(L, 1, &verifier_class);
  fh_delivery delivery = {
      .kind = (fh_delivery_kind)luaL_checkoption(L, 3, NULL, kinds),
  };
  fh_slice bytes = fh_check_bytes(L, 2);
  if (delivery.kind == FH_QUERY)
    delivery.query = bytes;
  else
    delivery.body = bytes;
  size_t room = fh_verify_room(&self->verifier, &delivery);
  if (room == 0)
    return 0;
  void *scratch = lua_newuserdata(L, room);
  fh_check_open(L, 1, &verifier_class);
  fh_slice sid = fh_find_account(&self->verifier, &delivery, scratch);
  if (!sid.data)
    return 0;
  lua_pushlstring(L, sid.data, sid.size);
  return 1;
}

static const luaL_Reg functions[] = {
    {"verifier", verifier_new},
    {NULL, NULL},
};

void fh_open_signature(lua_State *L) {
  fh_register(L, &verifier_class);
  fh_set_functions(L, functions);
}
