/* One epoll set and its timers; with the signals, the only code that is
 * Linux's own. Whatever waits in a process is registered here, so that one
 * descriptor tells when any of it is ready.
 *
 * A watch is known by its descriptor, not by a pointer: an event that was read
 * together with the one whose callback removed it finds nothing to call. What
 * libraries watch has a callback; what Lua watches has none and only ends the
 * wait. Times are seconds of CLOCK_MONOTONIC.
 *
 * A poller belongs to the process that opened it. A child shares the kernel's
 * epoll set with its parent, so there everything but closing is refused. */
#ifndef FH_UTIL_POLLER_H
#define FH_UTIL_POLLER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { FH_READ = 1, FH_WRITE = 2, FH_ERROR = 4 };

/* Called from fh_poller_wait with FH_READ, FH_WRITE, FH_ERROR combined. It may
 * watch, unwatch and arm, but not wait. */
typedef void fh_watch_fn(void *owner, int fd, unsigned events);
typedef void fh_timer_fn(void *owner);

typedef struct fh_timer fh_timer;

typedef struct fh_watch {
  fh_watch_fn *ready; /* NULL: the descriptor only ends the wait */
  void *owner;        /* borrowed; its owner unwatches before it goes */
  unsigned interest;  /* what the kernel looks for; 0: nothing */
  unsigned generation;
  bool persistent;
  bool disarmed; /* the kernel looks, but nobody wants to know */
} fh_watch;

typedef struct fh_poller {
  int fd;
  pid_t pid;
  fh_watch *watches; /* indexed by descriptor */
  size_t capacity;
  fh_timer *timers; /* few, so a list will do */
} fh_poller;

/* Embedded in its owner. `poller` is NULL once either side was closed. */
struct fh_timer {
  fh_poller *poller;
  fh_timer_fn *fire;
  void *owner;
  double due; /* negative: not armed */
  fh_timer *next;
  fh_timer **link;
};

double fh_clock(void); /* seconds since some start; never steps */
double fh_now(void);   /* Unix seconds */
/* This process, without asking the kernel each time. */
pid_t fh_pid(void);

/* The int results are 0 or an errno value. */
int fh_poller_open(fh_poller *poller);
/* Detaches every timer; descriptors stay open, they are their owners'. */
void fh_poller_close(fh_poller *poller);
/* False in another process than the one that opened it. */
bool fh_poller_ours(const fh_poller *poller);

/* Starts or changes the watch over `fd`. */
int fh_poller_watch(fh_poller *poller, int fd, unsigned interest,
                    fh_watch_fn *ready, void *owner);
/* Ends it. A descriptor that is closed or was never watched is no error. */
void fh_poller_unwatch(fh_poller *poller, int fd);

/* For a descriptor that is watched again and again, as a kept connection is.
 * Its owner drops it before it is closed; in return the kernel is not told of
 * an end of the watch until something comes that nobody wants. Without memory
 * it is a descriptor like any other. */
void fh_poller_adopt(fh_poller *poller, int fd);
void fh_poller_drop(fh_poller *poller, int fd);

/* Seconds until the first timer is due, 0 where it is; negative: none is. */
double fh_poller_timeout(const fh_poller *poller);
/* Waits at most `seconds` (negative: for ever), no longer than until the first
 * timer, then calls back. A signal ends the wait like an event. */
int fh_poller_wait(fh_poller *poller, double seconds);

/* The poller and the owner are borrowed; not armed yet. */
void fh_timer_open(fh_timer *timer, fh_poller *poller, fh_timer_fn *fire,
                   void *owner);
void fh_timer_close(fh_timer *timer); /* idempotent */
/* Fires once, `seconds` from now. */
void fh_timer_arm(fh_timer *timer, double seconds);
void fh_timer_disarm(fh_timer *timer);

/* Signals as a descriptor that becomes readable. While open, they are blocked
 * in the calling thread and interrupt nothing. */
typedef struct fh_signals fh_signals;

/* A list of signal numbers; the result is 0 or an errno value. */
int fh_signals_open(fh_signals **out, const int *numbers, size_t count);
int fh_signals_fd(const fh_signals *signals);
/* The next signal that came, or 0. */
int fh_signals_next(fh_signals *signals);
/* Restores the mask that was there before; NULL is allowed. */
void fh_signals_close(fh_signals *signals);

#endif
