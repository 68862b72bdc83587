/* A validator: URL, secret and delivery in, true or a reason out. */
#include "lua_core.h"
#include "lua_sig_key.h"
#include "lua_params.h"
#include "lua_sig_verify.h"
#include "sig_validator.h"

enum { STACK_SCRATCH = 8192 }; /* up to here it is on the C stack */

typedef struct validator_handle {
  fh_handle handle;
  fh_validator validator;
} validator_handle;

static int validator_close(lua_State *L);
static int validator_form(lua_State *L);
static int validator_json(lua_State *L);
static int validator_params(lua_State *L);
static int validator_plain(lua_State *L);

static const luaL_Reg validator_methods[] = {
    {"form", validator_form},
    {"json", validator_json},
    {"params", validator_params},
    {"plain", validator_plain},
    {NULL, NULL},
};

static const fh_class validator_class = {"flexhooks.validator",
                                         sizeof(validator_handle),
                                         validator_methods, validator_close};

/* lua: validator() -> validator */
static int validator_new(lua_State *L) {
  validator_handle *self = fh_new(L, &validator_class);
  fh_opened(&self->handle);
  return 1;
}

static int validator_close(lua_State *L) {
  validator_handle *self = fh_check(L, 1, &validator_class);
  fh_validator_close(&self->validator);
  fh_closed(&self->handle);
  return 0;
}

static fh_validator *check_validator(lua_State *L) {
  validator_handle *self = fh_check_open(L, 1, &validator_class);
  return &self->validator;
}

/* Returns the text before the first `mark`; `rest` is what follows it, or NULL
 * if there is none. */
static fh_slice before(fh_slice text, char mark, fh_slice *rest) {
  const char *at = text.size > 0 ? memchr(text.data, mark, text.size) : NULL;
  *rest = (fh_slice){NULL, 0};
  if (!at)
    return text;
  size_t size = (size_t)(at - text.data);
  *rest = (fh_slice){at + 1, text.size - size - 1};
  return (fh_slice){text.data, size};
}

typedef struct signer {
  fh_algorithm algorithm;
  fh_slice secret;
} signer;

static signer read_signer(lua_State *L) {
  fh_slice secret = fh_check_bytes(L, 3);
  luaL_argcheck(L, secret.size > 0, 3, "the secret must not be empty");
  return (signer){fh_check_algorithm(L, 4), secret};
}

static int push_failure(lua_State *L, fh_slice url) {
  if (!fh_signed_url_check(url))
    return luaL_error(L, "not enough memory");
  lua_pushnil(L);
  lua_pushliteral(L, "url");
  return 2;
}

static int push_verdict(lua_State *L, fh_verdict verdict) {
  if (verdict != FH_VERIFIED)
    return fh_push_refusal(L, verdict);
  lua_pushboolean(L, 1);
  return 1;
}

/* Returns the verifier and the key after memory was allocated: a finalizer may
 * have validated in its turn. */
static const fh_verifier *look_up(lua_State *L, fh_slice url, const signer *by,
                                  fh_key **key) {
  fh_validator *self = check_validator(L);
  const fh_verifier *verifier = fh_validator_url(self, url);
  *key = fh_validator_key(self, by->algorithm, by->secret);
  if (!verifier || !*key)
    luaL_error(L, "not enough memory");
  return verifier;
}

/* Returns the URL up to its query, and reads the signature and the query. */
static fh_slice read_delivery(lua_State *L, fh_delivery *delivery) {
  fh_slice fragment, url = before(fh_check_bytes(L, 2), '#', &fragment);
  if (!lua_isnil(L, 5))
    delivery->signature = fh_check_bytes(L, 5);
  return before(url, '?', &delivery->query);
}

static int validate(lua_State *L, fh_delivery_kind kind) {
  union {
    char bytes[STACK_SCRATCH];
    void *aligned;
  } local;
  fh_key *key;
  fh_event event;
  fh_delivery delivery = {.kind = kind, .body = fh_check_bytes(L, 6)};
  fh_slice url = read_delivery(L, &delivery);
  signer by = read_signer(L);
  const fh_verifier *verifier = fh_validator_url(check_validator(L), url);
  if (!verifier)
    return push_failure(L, url);
  size_t room = fh_verify_room(verifier, &delivery);
  if (room == 0)
    return fh_push_refusal(L, FH_TOO_LARGE);
  void *scratch =
      room <= sizeof local ? local.bytes : lua_newuserdata(L, room);
  verifier = look_up(L, url, &by, &key);
  return push_verdict(
      L, fh_verify(verifier, &delivery, &key, 1, scratch, &event));
}

/* validator:form(url, secret, algorithm, signature, body) -> true | nil,
 * reason: as a verifier's, or "url" */
static int validator_form(lua_State *L) {
  return validate(L, FH_FORM);
}

/* validator:json(url, secret, algorithm, signature, body) -> likewise */
static int validator_json(lua_State *L) {
  return validate(L, FH_JSON);
}

static int push_general(lua_State *L) {
  lua_pushnil(L);
  lua_pushliteral(L, "general");
  return 2;
}

/* Returns true for a name that a form refuses too. */
static bool has_nul(const fh_params *params) {
  for (size_t i = 0; i < params->count; i++) {
    fh_slice name = params->items[i].name;
    if (name.size > 0 && memchr(name.data, 0, name.size))
      return true;
  }
  return false;
}

/* validator:params(url, secret, algorithm, signature, params) -> likewise, of
 * a form's fields, name -> value; nil, "general" if one is not a string */
static int validator_params(lua_State *L) {
  fh_key *key;
  fh_params params;
  fh_delivery delivery = {.kind = FH_FORM};
  luaL_checktype(L, 6, LUA_TTABLE);
  fh_slice url = read_delivery(L, &delivery);
  signer by = read_signer(L);
  if (!fh_validator_url(check_validator(L), url))
    return push_failure(L, url);
  if (fh_read_params(L, 6, false, 1 + 3 * delivery.query.size, &params))
    return push_general(L);
  if (has_nul(&params))
    return fh_push_refusal(L, FH_MALFORMED);
  const fh_verifier *verifier = look_up(L, url, &by, &key);
  fh_event event = {.fields = params.items,
                    .count = fh_form_sort(params.items, params.count)};
  return push_verdict(L, fh_verify_fields(verifier, &delivery, &key, 1,
                                          params.scratch, &event));
}

/* --- the options of most calls, which need no more checks than these ------
 */

/* Places on the stack: secret, signature and body have those of the other
 * methods' arguments. The URL goes to its own when the table is done with. */
enum { SECRET = 3, URL, SIGNATURE, BODY, CONTENT_TYPE, METHOD };

static const struct {
  const char *name;
  int type;
  int place;
} plain_options[] = {
    {"auth_token", LUA_TSTRING, SECRET},
    {"url", LUA_TSTRING, URL},
    {"signature", LUA_TSTRING, SIGNATURE},
    {"body", LUA_TSTRING, BODY},
    {"params", LUA_TTABLE, BODY},
    {"content_type", LUA_TSTRING, CONTENT_TYPE},
    {"method", LUA_TSTRING, METHOD},
};

static bool is_text(lua_State *L, int index, const char *text) {
  return fh_slice_equal(fh_bytes(L, index), (fh_slice){text, strlen(text)});
}

/* Moves the value on top to its place. False for a name or a type that asks
 * for the general way, and for a second value of one place. */
static bool place_option(lua_State *L) {
  if (lua_type(L, -2) != LUA_TSTRING)
    return false;
  for (size_t i = 0; i < sizeof plain_options / sizeof *plain_options; i++) {
    if (!is_text(L, -2, plain_options[i].name))
      continue;
    int place = plain_options[i].place;
    bool good =
        lua_type(L, -1) == plain_options[i].type && lua_isnil(L, place);
    if (good)
      lua_replace(L, place);
    return good;
  }
  return false;
}

static bool place_options(lua_State *L) {
  if (lua_type(L, 2) != LUA_TTABLE || lua_getmetatable(L, 2))
    return false;
  lua_settop(L, 2);
  lua_settop(L, METHOD);
  lua_pushnil(L);
  while (lua_next(L, 2))
    if (!place_option(L))
      return false;
  return true;
}

static bool is_form(lua_State *L, int index) {
  static const char *const forms[] = {
      "application/x-www-form-urlencoded",
      "application/x-www-form-urlencoded; charset=UTF-8",
      "application/x-www-form-urlencoded; charset=utf-8",
  };
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
    if (is_text(L, index, forms[i]))
      return true;
  return false;
}

/* Returns true for a form that was sent by POST and signed by one token. */
static bool is_plain(lua_State *L) {
  return place_options(L) && !lua_isnil(L, URL) && !lua_isnil(L, BODY) &&
         !lua_isnil(L, SECRET) && lua_rawlen(L, SECRET) > 0 &&
         (lua_isnil(L, CONTENT_TYPE) || is_form(L, CONTENT_TYPE)) &&
         (lua_isnil(L, METHOD) || is_text(L, METHOD, "POST"));
}

/* Returns true if the parameters have no metatable and the URL has no hash of
 * a body. */
static bool are_plain_params(lua_State *L) {
  return !lua_getmetatable(L, BODY) &&
         !strstr(lua_tostring(L, 2), "bodySHA256");
}

/* validator:plain(options) -> true | nil, reason; nil, "general" if they are
 * not a table of auth_token, url, signature, body or params, content_type and
 * method, of a form sent by POST */
static int validator_plain(lua_State *L) {
  if (!is_plain(L))
    return push_general(L);
  lua_settop(L, METHOD);
  lua_pushvalue(L, URL);
  lua_replace(L, 2);
  lua_pushnil(L);
  lua_replace(L, 4); /* the algorithm */
  if (lua_type(L, BODY) == LUA_TSTRING)
    return validator_form(L);
  return are_plain_params(L) ? validator_params(L) : push_general(L);
}

void fh_open_validator(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"validator", validator_new},
      {NULL, NULL},
  };
  fh_register(L, &validator_class);
  fh_set_functions(L, functions);
}
