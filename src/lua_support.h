/* What every binding shares: classes whose handles are created closed, checked
 * handles, the error triple, and an option reader driven by a table. No domain
 * knowledge lives here.
 *
 * A handle is a zeroed userdata whose first member is an fh_handle. The tag in
 * it is the address of the class, so that a userdata of another kind is
 * refused even where its metatable was exchanged with debug.setmetatable. */
#ifndef FH_LUA_SUPPORT_H
#define FH_LUA_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "lua_compat.h"
#include "util_slice.h"

#define FH_EXPORT __attribute__((visibility("default")))

typedef struct fh_class {
  const char *name; /* "flexhooks.key": __name and the registry's key */
  size_t size;      /* of the struct that begins with an fh_handle */
  const luaL_Reg *methods;
  lua_CFunction close; /* idempotent; also __gc and __close; calls no Lua */
} fh_class;

typedef struct fh_handle {
  const fh_class *tag;
  bool open; /* set by fh_opened once the resource is held */
} fh_handle;

/* Creates the class's metatable in this state; leaves the stack as it was. */
void fh_register(lua_State *L, const fh_class *class);

/* Pushes a closed handle, zeroed but for its tag. Raises without memory. */
void *fh_new(lua_State *L, const fh_class *class);

/* The handle at `index`, open or closed; raises for anything else. */
void *fh_check(lua_State *L, int index, const fh_class *class);

/* The handle at `index`, which must be open; raises otherwise. */
void *fh_check_open(lua_State *L, int index, const fh_class *class);

/* The handle at `index`, or NULL where the value is something else. */
void *fh_test(lua_State *L, int index, const fh_class *class);

/* Mark the resource as acquired or released; they keep the count of live
 * handles that `live()` reports, which tests use to find leaks. */
void fh_opened(fh_handle *handle);
void fh_closed(fh_handle *handle);

/* The bytes of the string argument at `index`, which keeps them; raises for
 * anything else, numbers too. */
fh_slice fh_check_bytes(lua_State *L, int index);

/* The bytes of the value at `index`, which is known to be a string. */
fh_slice fh_bytes(lua_State *L, int index);

/* Adds the functions of `list` (ended by a NULL name) to the table on top. */
void fh_set_functions(lua_State *L, const luaL_Reg *list);

/* lua: live() -> integer, the open handles of this shared object. */
int fh_live(lua_State *L);

/* Pushes nil, kind, message: the error triple that the Lua side turns into an
 * error object. Returns 3. `message` must not hold a secret. */
int fh_fail(lua_State *L, const char *kind, const char *message);

typedef enum fh_option_type {
  FH_STRING,  /* fh_slice; borrowed: the table keeps the string alive */
  FH_NUMBER,  /* double */
  FH_SIZE,    /* size_t, from 0 to 2^53 */
  FH_BOOLEAN, /* bool */
} fh_option_type;

typedef struct fh_option {
  const char *name;
  fh_option_type type;
  size_t offset; /* of the member that receives it */
  bool required;
} fh_option;

/* Reads the options of `list` (ended by a NULL name) from the table at `index`
 * into `out`, whose members keep their values where an option is nil. Raises
 * for a wrong type or a missing required option, naming it. */
void fh_options(lua_State *L, int index, const fh_option *list, void *out);

#endif
