#include "lua_util_secret.h"

#include "lua_core.h"

typedef struct secret {
  fh_handle handle;
  fh_secret bytes;
} secret;

static int secret_close(lua_State *L);
static int secret_reveal(lua_State *L);
static int secret_hide(lua_State *L);

static const luaL_Reg methods[] = {
    {"reveal", secret_reveal},
    {"hide", secret_hide},
    {NULL, NULL},
};

static const fh_class secret_class = {
    .name = "flexhooks.secret",
    .size = sizeof(secret),
    .methods = methods,
    .close = secret_close,
};

const fh_secret *fh_check_secret(lua_State *L, int index) {
  secret *self = fh_check_open(L, index, &secret_class);
  return &self->bytes;
}

/* The message never shows the bytes it complains about. */
static const char *explain(fh_secret_status status) {
  switch (status) {
  case FH_SECRET_COLON:
    return "the user name must not hold a colon";
  case FH_SECRET_CONTROL:
    return "a credential must not hold spaces or control characters";
  case FH_SECRET_EMPTY:
    return "a credential must not be empty";
  case FH_SECRET_LONG:
    return "a credential must not be longer than 8192 bytes";
  case FH_SECRET_NO_MEMORY:
    return "not enough memory";
  case FH_SECRET_OK:
    break;
  }
  return NULL;
}

static int finish(lua_State *L, secret *self, fh_secret_status status) {
  if (status == FH_SECRET_OK) {
    fh_opened(&self->handle);
    return 1;
  }
  return fh_fail(L, "config", explain(status));
}

/* lua: secret(bytes) -> secret */
static int new_secret(lua_State *L) {
  size_t size;
  const char *data = luaL_checklstring(L, 1, &size);
  secret *self = fh_new(L, &secret_class);
  return finish(L, self, fh_secret_set(&self->bytes, data, size));
}

/* lua: basic(user, secret) -> secret | nil, kind, message */
static int new_basic(lua_State *L) {
  size_t size;
  const char *user = luaL_checklstring(L, 1, &size);
  const fh_secret *password = fh_check_secret(L, 2);
  secret *self = fh_new(L, &secret_class);
  return finish(L, self, fh_secret_basic(&self->bytes, user, size, password));
}

/* lua: bearer(secret) -> secret | nil, kind, message */
static int new_bearer(lua_State *L) {
  const fh_secret *token = fh_check_secret(L, 1);
  secret *self = fh_new(L, &secret_class);
  return finish(L, self, fh_secret_bearer(&self->bytes, token));
}

/* lua: secret:reveal() -> bytes */
static int secret_reveal(lua_State *L) {
  const fh_secret *bytes = fh_check_secret(L, 1);
  lua_pushlstring(L, bytes->data, bytes->size);
  return 1;
}

/* lua: secret:hide(text) -> text with **** in the secret's place. The secret
 * never becomes a Lua string, which nobody could wipe. */
static int secret_hide(lua_State *L) {
  const fh_secret *bytes = fh_check_secret(L, 1);
  size_t size, found;
  const char *text = luaL_checklstring(L, 2, &size);
  luaL_Buffer out;
  luaL_buffinit(L, &out);
  const char *at;
  while ((at = fh_secret_find(bytes, text, size, &found)) != NULL) {
    luaL_addlstring(&out, text, (size_t)(at - text));
    luaL_addlstring(&out, "****", 4);
    size -= (size_t)(at - text) + found;
    text = at + found;
  }
  luaL_addlstring(&out, text, size);
  luaL_pushresult(&out);
  return 1;
}

static int secret_close(lua_State *L) {
  secret *self = fh_check(L, 1, &secret_class);
  fh_secret_free(&self->bytes);
  fh_closed(&self->handle);
  return 0;
}

static int secret_tostring(lua_State *L) {
  lua_pushliteral(L, "****");
  return 1;
}

void fh_open_secret(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"secret", new_secret},
      {"basic", new_basic},
      {"bearer", new_bearer},
      {NULL, NULL},
  };
  fh_register(L, &secret_class);
  luaL_getmetatable(L, secret_class.name);
  lua_pushcfunction(L, secret_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_pop(L, 1);
  fh_set_functions(L, functions);
}
