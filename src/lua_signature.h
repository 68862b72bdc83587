/* Lets other bindings report the verdict of a verification. */
#ifndef FH_LUA_SIGNATURE_H
#define FH_LUA_SIGNATURE_H

#include "lua_support.h"
#include "signature.h"

/* Pushes nil and the reason, and returns 2; raises if libcrypto failed. */
int fh_push_refusal(lua_State *L, fh_verdict verdict);

#endif
