/* flexhooks.core: everything that needs libcurl and libcrypto alone. */
#include "lua_core.h"

static const luaL_Reg functions[] = {
    {"live", fh_live},
    {NULL, NULL},
};

FH_EXPORT int luaopen_flexhooks_core(lua_State *L);

int luaopen_flexhooks_core(lua_State *L) {
  lua_newtable(L);
  fh_set_functions(L, functions);
  fh_open_file(L);
  fh_open_form(L);
  fh_open_http(L);
  fh_open_json(L);
  fh_open_json_text(L);
  fh_open_key(L);
  fh_open_poller(L);
  fh_open_recent(L);
  fh_open_secret(L);
  fh_open_sid(L);
  fh_open_signature(L);
  fh_open_sql_text(L);
  fh_open_validator(L);
  return 1;
}
