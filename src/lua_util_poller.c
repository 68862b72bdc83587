/* core.poller, core.clock, core.now, core.pid. */
#include "lua_util_poller.h"

#include <math.h>
#include <signal.h>
#include <string.h>

#include "lua_core.h"

typedef struct poller {
  fh_handle handle;
  fh_poller poller;
} poller;

typedef struct signals {
  fh_handle handle;
  fh_signals *signals;
} signals;

static int poller_close(lua_State *L);
static int poller_fd(lua_State *L);
static int poller_timeout(lua_State *L);
static int poller_watch(lua_State *L);
static int poller_unwatch(lua_State *L);
static int poller_wait(lua_State *L);
static int poller_signals(lua_State *L);
static int signals_close(lua_State *L);
static int signals_fd(lua_State *L);
static int signals_next(lua_State *L);

static const luaL_Reg poller_methods[] = {
    {"fd", poller_fd},
    {"timeout", poller_timeout},
    {"watch", poller_watch},
    {"unwatch", poller_unwatch},
    {"wait", poller_wait},
    {"signals", poller_signals},
    {NULL, NULL},
};

static const fh_class poller_class = {
    .name = "flexhooks.poller",
    .size = sizeof(poller),
    .methods = poller_methods,
    .close = poller_close,
};

static const luaL_Reg signals_methods[] = {
    {"fd", signals_fd},
    {"next", signals_next},
    {NULL, NULL},
};

static const fh_class signals_class = {
    .name = "flexhooks.signals",
    .size = sizeof(signals),
    .methods = signals_methods,
    .close = signals_close,
};

static const struct {
  const char *name;
  int number;
} signal_names[] = {{"TERM", SIGTERM}, {"INT", SIGINT},   {"HUP", SIGHUP},
                    {"QUIT", SIGQUIT}, {"USR1", SIGUSR1}, {"USR2", SIGUSR2},
                    {"PIPE", SIGPIPE}};

enum { SIGNAL_COUNT = sizeof signal_names / sizeof *signal_names };

fh_poller *fh_check_poller(lua_State *L, int index) {
  poller *self = fh_check_open(L, index, &poller_class);
  if (!fh_poller_ours(&self->poller))
    luaL_argerror(L, index, "the poller belongs to another process");
  return &self->poller;
}

static int fail_system(lua_State *L, int error) {
  return fh_fail(L, "closed", strerror(error));
}

/* lua: poller() -> poller | nil, kind, message */
static int new_poller(lua_State *L) {
  poller *self = fh_new(L, &poller_class);
  int error = fh_poller_open(&self->poller);
  if (error)
    return fail_system(L, error);
  fh_opened(&self->handle);
  return 1;
}

static int poller_close(lua_State *L) {
  poller *self = fh_check(L, 1, &poller_class);
  if (self->handle.open)
    fh_poller_close(&self->poller);
  fh_closed(&self->handle);
  return 0;
}

/* lua: poller:fd() -> integer; readable when something is ready */
static int poller_fd(lua_State *L) {
  lua_pushinteger(L, fh_check_poller(L, 1)->fd);
  return 1;
}

/* lua: poller:timeout() -> seconds | nil */
static int poller_timeout(lua_State *L) {
  double seconds = fh_poller_timeout(fh_check_poller(L, 1));
  if (seconds < 0)
    lua_pushnil(L);
  else
    lua_pushnumber(L, seconds);
  return 1;
}

static int check_fd(lua_State *L, int index) {
  lua_Number fd = luaL_checknumber(L, index);
  luaL_argcheck(L, fd >= 0 && fd < 1 << 20, index, "not a descriptor");
  return (int)fd;
}

static unsigned check_interest(lua_State *L, int index) {
  const char *text = luaL_checkstring(L, index);
  unsigned interest =
      (strchr(text, 'r') ? FH_READ : 0) | (strchr(text, 'w') ? FH_WRITE : 0);
  luaL_argcheck(L, interest && strspn(text, "rw") == strlen(text), index,
                "must be \"r\", \"w\" or \"rw\"");
  return interest;
}

/* lua: poller:watch(fd, interest) -> true | nil, kind, message */
static int poller_watch(lua_State *L) {
  fh_poller *self = fh_check_poller(L, 1);
  int fd = check_fd(L, 2);
  unsigned interest = check_interest(L, 3);
  int error = fh_poller_watch(self, fd, interest, NULL, NULL);
  if (error)
    return fail_system(L, error);
  lua_pushboolean(L, 1);
  return 1;
}

/* lua: poller:unwatch(fd) */
static int poller_unwatch(lua_State *L) {
  fh_poller *self = fh_check_poller(L, 1);
  fh_poller_unwatch(self, check_fd(L, 2));
  return 0;
}

/* lua: poller:wait(seconds | nil) -> true | nil, kind, message */
static int poller_wait(lua_State *L) {
  fh_poller *self = fh_check_poller(L, 1);
  lua_Number seconds = luaL_optnumber(L, 2, HUGE_VAL);
  luaL_argcheck(L, seconds >= 0, 2, "must be at least 0");
  int error = fh_poller_wait(self, isinf(seconds) ? -1 : (double)seconds);
  if (error)
    return fail_system(L, error);
  lua_pushboolean(L, 1);
  return 1;
}

/* --- signals --------------------------------------------------------------
 */

static int check_signal(lua_State *L, int index) {
  const char *name = luaL_checkstring(L, index);
  for (size_t i = 0; i < SIGNAL_COUNT; i++)
    if (strcmp(name, signal_names[i].name) == 0)
      return signal_names[i].number;
  return luaL_argerror(L, index, "not a signal that can be waited for");
}

/* lua: poller:signals(name, …) -> signals | nil, kind, message
 * The poller is not told: what is to be watched is signals:fd(). */
static int poller_signals(lua_State *L) {
  int numbers[SIGNAL_COUNT];
  int count = lua_gettop(L) - 1;
  fh_check_poller(L, 1);
  luaL_argcheck(L, count >= 1 && count <= SIGNAL_COUNT, 2,
                "from one to six signals");
  for (int i = 0; i < count; i++)
    numbers[i] = check_signal(L, i + 2);
  signals *self = fh_new(L, &signals_class);
  int error = fh_signals_open(&self->signals, numbers, (size_t)count);
  if (error)
    return fail_system(L, error);
  fh_opened(&self->handle);
  return 1;
}

static int signals_close(lua_State *L) {
  signals *self = fh_check(L, 1, &signals_class);
  fh_signals_close(self->signals);
  self->signals = NULL;
  fh_closed(&self->handle);
  return 0;
}

/* lua: signals:fd() -> integer */
static int signals_fd(lua_State *L) {
  const signals *self = fh_check_open(L, 1, &signals_class);
  lua_pushinteger(L, fh_signals_fd(self->signals));
  return 1;
}

/* lua: signals:next() -> name | nil */
static int signals_next(lua_State *L) {
  const signals *self = fh_check_open(L, 1, &signals_class);
  int number = fh_signals_next(self->signals);
  for (size_t i = 0; i < SIGNAL_COUNT; i++) {
    if (signal_names[i].number == number) {
      lua_pushstring(L, signal_names[i].name);
      return 1;
    }
  }
  lua_pushnil(L);
  return 1;
}

/* --- clocks ---------------------------------------------------------------
 */

/* lua: clock() -> seconds that never step */
static int get_clock(lua_State *L) {
  lua_pushnumber(L, fh_clock());
  return 1;
}

/* lua: now() -> Unix seconds */
static int get_now(lua_State *L) {
  lua_pushnumber(L, fh_now());
  return 1;
}

/* lua: pid() -> integer */
static int get_pid(lua_State *L) {
  lua_pushinteger(L, fh_pid());
  return 1;
}

void fh_open_poller(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"poller", new_poller}, {"clock", get_clock}, {"now", get_now},
      {"pid", get_pid},       {NULL, NULL},
  };
  fh_register(L, &poller_class);
  fh_register(L, &signals_class);
  fh_set_functions(L, functions);
}
