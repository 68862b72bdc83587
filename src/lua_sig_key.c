/* Keys, and the hashes, random bytes and hex that go with them. */
#include "lua_sig_key.h"

#include <openssl/rand.h>

#include "lua_core.h"
#include "lua_params.h"
#include "sig_verify.h"

enum { MAX_RANDOM = 4096, MAX_HEX = 1 << 30 };

typedef struct key_handle {
  fh_handle handle;
  fh_key key;
} key_handle;

static int key_close(lua_State *L);
static int key_sign(lua_State *L);

static const luaL_Reg key_methods[] = {{"sign", key_sign}, {NULL, NULL}};

static const fh_class key_class = {"flexhooks.key", sizeof(key_handle),
                                   key_methods, key_close};

fh_key *fh_test_key(lua_State *L, int index) {
  key_handle *self = fh_test(L, index, &key_class);
  return self && self->handle.open ? &self->key : NULL;
}

static const char *const algorithms[] = {"HMAC_SHA1", "HMAC_SHA256", NULL};

fh_algorithm fh_check_algorithm(lua_State *L, int index) {
  if (!lua_isnoneornil(L, index)) /* for LuaJIT no string is as good as none */
    luaL_checkstring(L, index);
  return (fh_algorithm)luaL_checkoption(L, index, *algorithms, algorithms);
}

/* key(secret, algorithm) -> key; "HMAC_SHA1" or "HMAC_SHA256", the former if
 * absent */
static int key_new(lua_State *L) {
  fh_slice secret = fh_check_bytes(L, 1);
  luaL_argcheck(L, secret.size > 0, 1, "the secret must not be empty");
  fh_algorithm algorithm = fh_check_algorithm(L, 2);
  key_handle *self = fh_new(L, &key_class);
  if (!fh_key_open(&self->key, algorithm, secret))
    return luaL_error(L, "libcrypto cannot compute %s", algorithms[algorithm]);
  fh_opened(&self->handle);
  return 1;
}

static int key_close(lua_State *L) {
  key_handle *self = fh_check(L, 1, &key_class);
  if (self->handle.open)
    fh_key_close(&self->key);
  fh_closed(&self->handle);
  return 0;
}

/* Signs with what is in Lua's memory already: nothing raises while the URL is
 * open. Leaves the URL that was signed in `text` and `url`. Returns the size
 * of the signature, or 0. */
static size_t sign(fh_key *key, fh_slice *url, fh_params *f, char *text,
                   char signature[FH_SIGNATURE_MOST]) {
  fh_signed_url opened;
  if (!fh_signed_url_open(&opened, *url))
    return 0;
  size_t distinct = fh_form_sort(f->items, f->count);
  size_t size = fh_sign(key, &opened, f->items, distinct, text, signature);
  *url = (fh_slice){text, fh_signed_url_write(&opened, text)};
  fh_signed_url_close(&opened);
  return size;
}

/* key:sign(url, params) -> signature, signed url | nil, "config", message */
static int key_sign(lua_State *L) {
  char signature[FH_SIGNATURE_MOST];
  fh_params f;
  fh_check_open(L, 1, &key_class);
  fh_slice url = fh_check_bytes(L, 2);
  if (!lua_isnoneornil(L, 3))
    luaL_checktype(L, 3, LUA_TTABLE);
  const char *wrong = fh_signed_url_check(url);
  if (wrong)
    return fh_fail(L, "config", lua_pushfstring(L, "the URL %s", wrong));
  lua_settop(L, 3);
  wrong = fh_read_params(L, 3, true, url.size + 1, &f);
  if (wrong)
    return luaL_error(L, "%s", wrong);
  key_handle *self = fh_check_open(L, 1, &key_class);
  size_t size = sign(&self->key, &url, &f, f.scratch, signature);
  if (size == 0)
    return luaL_error(L, "not enough memory");
  lua_pushlstring(L, signature, size);
  lua_pushlstring(L, url.data, url.size);
  return 2;
}

/* hex(bytes) -> two lower-case digits for each byte */
static int hex(lua_State *L) {
  fh_slice bytes = fh_check_bytes(L, 1);
  luaL_argcheck(L, bytes.size <= MAX_HEX, 1, "at most 1 GiB expected");
  char *text = lua_newuserdata(L, 2 * bytes.size);
  fh_hex(bytes, text);
  lua_pushlstring(L, text, 2 * bytes.size);
  return 1;
}

/* What hashes is an upvalue: libcrypto takes longer to find its algorithm than
 * to hash a token with it. */
typedef struct hasher_handle {
  fh_handle handle;
  fh_hasher hasher; /* made with the first hash */
} hasher_handle;

static int hasher_close(lua_State *L);

static const luaL_Reg no_methods[] = {{NULL, NULL}};

static const fh_class hasher_class = {.name = "flexhooks.hasher",
                                      .size = sizeof(hasher_handle),
                                      .methods = no_methods,
                                      .close = hasher_close};

static int hasher_close(lua_State *L) {
  hasher_handle *self = fh_check(L, 1, &hasher_class);
  fh_hasher_close(&self->hasher);
  return 0;
}

/* sha256(bytes) -> lower-case hex */
static int sha256(lua_State *L) {
  char text[FH_HASH_TEXT];
  fh_slice bytes = fh_check_bytes(L, 1);
  hasher_handle *self = lua_touserdata(L, lua_upvalueindex(1));
  if ((!self->hasher.work && !fh_hasher_open(&self->hasher)) ||
      !fh_hash_text(&self->hasher, bytes, text))
    return luaL_error(L, "libcrypto cannot compute SHA-256");
  lua_pushlstring(L, text, sizeof text);
  return 1;
}

/* random(n) -> n bytes, from 1 to 4096 */
static int random_bytes(lua_State *L) {
  unsigned char bytes[MAX_RANDOM];
  lua_Number size = luaL_checknumber(L, 1);
  luaL_argcheck(L, size >= 1 && size <= MAX_RANDOM, 1,
                "from 1 to 4096 expected");
  if (RAND_bytes(bytes, (int)size) != 1)
    return luaL_error(L, "the system gives no random bytes");
  lua_pushlstring(L, (const char *)bytes, (size_t)size);
  return 1;
}

static const luaL_Reg functions[] = {
    {"key", key_new},
    {"random", random_bytes},
    {"hex", hex},
    {NULL, NULL},
};

void fh_open_key(lua_State *L) {
  fh_register(L, &key_class);
  fh_register(L, &hasher_class);
  fh_set_functions(L, functions);
  fh_new(L, &hasher_class);
  lua_pushcclosure(L, sha256, 1);
  lua_setfield(L, -2, "sha256");
}
