/* Runs a Lua scenario again and again, each time in a state of its own with
 * one more allocation allowed before memory is refused, until it comes
 * through.
 *
 *   host once|ever SCENARIO.lua
 *
 * `once` refuses a single allocation, `ever` all from there on; the scenario
 * is told which. It returns a function, and that returns true when all went as
 * it should; refused memory may make it raise, or return anything else. What
 * it must not do is crash, take wrong for right (it raises "wrong: …" then),
 * or leave handles or memory behind when its state is closed. It may return a
 * second function, which is called when there is memory again, and must return
 * true: nothing stands still for good. */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include <openssl/err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* This program's own allocator stands before the C library's, for Lua, for our
 * code and for the libraries alike. */
#define EXPORT __attribute__((visibility("default")))

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void __libc_free(void *block);

static struct {
  bool armed;
  bool ever;
  long left;    /* allocations until memory is refused */
  long refused; /* how often it was */
  long blocks;  /* allocated and not freed */
} memory;

static bool refuse(void) {
  if (!memory.armed)
    return false;
  if (memory.left > 0) {
    memory.left--;
    return false;
  }
  if (memory.refused > 0 && !memory.ever)
    return false;
  memory.refused++;
  return true;
}

EXPORT void *malloc(size_t size) {
  void *block = refuse() ? NULL : __libc_malloc(size);
  memory.blocks += block != NULL;
  return block;
}

EXPORT void *calloc(size_t count, size_t size) {
  void *block = refuse() ? NULL : __libc_calloc(count, size);
  memory.blocks += block != NULL;
  return block;
}

EXPORT void *realloc(void *old, size_t size) {
  void *block = refuse() ? NULL : __libc_realloc(old, size);
  memory.blocks += !old && block;
  return block;
}

EXPORT void free(void *block) {
  memory.blocks -= block != NULL;
  __libc_free(block);
}

enum { NO_LIMIT = 1 << 30, NOISE = 8 }; /* the loader's blocks come and go */

static const char *mode, *scenario;

static int fail(long limit, const char *what) {
  printf("not ok - %s, after %ld allocations: %s\n", mode, limit, what);
  return 1;
}

/* Without memory libgcc crashes where LuaJIT tells it of machine code. */
static const char NO_JIT[] = "if jit then jit.off() end";

/* What live() of the loaded shared objects tells, where that is not 0. */
static const char LIVE[] =
    "local open = '' "
    "for name, module in pairs(package.loaded) do "
    "  if name:find '^flexhooks%.core' and module.live() > 0 then "
    "    open = open .. name .. ' has open handles: ' .. module.live() .. ' ' "
    "  end "
    "end "
    "return open";

/* Runs the function on top of the stack with memory refused after `limit`, and
 * then the one below it, where that is not nil. Where it
 * is refused for ever the collector stands still: Lua gives up for good on a
 * finalizer that it has no memory to call. */
static int run(lua_State *L, long limit, bool *through) {
  memory.left = limit;
  memory.refused = 0;
  if (memory.ever)
    lua_gc(L, LUA_GCSTOP, 0);
  memory.armed = true;
  int status = lua_pcall(L, 0, 1, 0);
  memory.armed = false;
  lua_gc(L, LUA_GCRESTART, 0);
  const char *error = status ? lua_tostring(L, -1) : NULL;
  if (error && strstr(error, "wrong:"))
    return fail(limit, error);
  *through = memory.refused == 0;
  if (*through && (status || !lua_toboolean(L, -1)))
    return fail(limit, error ? error : "no memory was refused, but no result");
  lua_settop(L, 1);
  if (!lua_isnil(L, 1) && (lua_pcall(L, 0, 1, 0) || lua_toboolean(L, -1) == 0))
    return fail(limit, lua_isstring(L, -1) ? lua_tostring(L, -1)
                                           : "it does not go on");
  lua_settop(L, 0);
  lua_gc(L, LUA_GCCOLLECT, 0);
  lua_gc(L, LUA_GCCOLLECT, 0);
  return 0;
}

/* LuaJIT would take its memory from the kernel. Both Luas rely on it that a
 * block can shrink: the collector shrinks the stacks of coroutines. */
static void *allocate(void *owner, void *block, size_t before, size_t size) {
  (void)owner;
  if (block && size > 0 && size <= before)
    return __libc_realloc(block, size);
  if (size > 0)
    return realloc(block, size);
  free(block);
  return NULL;
}

static int load(lua_State *L) {
  if (luaL_loadfile(L, scenario))
    return 1;
  lua_pushstring(L, mode);
  return lua_pcall(L, 1, LUA_MULTRET, 0);
}

/* A whole life of the scenario in the state. */
static int live(lua_State *L, long limit, bool *through) {
  luaL_openlibs(L);
  if (luaL_dostring(L, NO_JIT) || load(L))
    return fail(limit, lua_tostring(L, -1));
  lua_settop(L, 2);
  lua_insert(L, 1);
  if (run(L, limit, through))
    return 1;
  if (luaL_dostring(L, LIVE))
    return fail(limit, lua_tostring(L, -1));
  const char *open = lua_tostring(L, -1);
  return *open == '\0' ? 0 : fail(limit, open);
}

static int attempt(long limit, bool *through) {
  lua_State *L = lua_newstate(allocate, NULL);
  int failed = live(L, limit, through);
  lua_close(L);
  ERR_clear_error(); /* libcrypto keeps the last few errors, with their texts
                      */
  return failed;
}

/* Both counts are of what stays when a state is closed. */
static int refuse_in_turn(void) {
  bool through = false;
  for (int i = 0; i < 3; i++) /* what libraries keep for ever, they have now */
    if (attempt(NO_LIMIT, &through))
      return 1;
  long before = memory.blocks, limit = 0;
  do {
    if (attempt(limit, &through))
      return 1;
  } while (!through && ++limit);
  if (limit == 0)
    return fail(limit, "no memory was refused: nothing was seen");
  long kept = memory.blocks - before;
  if (kept > NOISE)
    return fail(limit, "memory is left");
  printf("ok - %s: %ld allocations refused in turn, %ld blocks kept\n", mode,
         limit, kept);
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 2)
    return 2;
  scenario = argv[1];
  mode = "once";
  int failed = refuse_in_turn();
  mode = "ever";
  memory.ever = true;
  return refuse_in_turn() | failed;
}
