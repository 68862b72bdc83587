/* Lets other bindings report the verdict of a verification. */
#ifndef FH_LUA_SIG_VERIFY_H
#define FH_LUA_SIG_VERIFY_H

#include "lua_support.h"
#include "sig_verify.h"

/* Pushes nil and the reason, and returns 2; raises if libcrypto failed. */
int fh_push_refusal(lua_State *L, fh_verdict verdict);

#endif
