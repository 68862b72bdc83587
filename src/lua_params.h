/* Parameters as Lua has them: a table name -> value or list of values. */
#ifndef FH_LUA_PARAMS_H
#define FH_LUA_PARAMS_H

#include "util_form.h"
#include "lua_support.h"

enum { FH_PARAMS_FEW = 40, FH_PARAMS_SMALL = 4096 };

typedef struct fh_params {
  fh_field *items; /* they borrow the table's strings */
  size_t count;
  size_t bytes;  /* of all names and values */
  char *scratch; /* has room for these bytes, and as many more as were asked */
  fh_field few[FH_PARAMS_FEW]; /* for most tables there is room here */
  char small[FH_PARAMS_SMALL];
} fh_params;

/* Reads the table at `index`, or nothing if it is nil; may push memory that it
 * takes. Returns NULL, or what is wrong: a name or value is not a string, or a
 * value is a list and there may be no `lists`. */
const char *fh_read_params(lua_State *L, int index, bool lists, size_t more,
                           fh_params *params);

#endif
