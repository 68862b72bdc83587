#include "util_poller.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, FIRST_WATCHES = 64 };

static double read_clock(clockid_t id) {
  struct timespec at;
  clock_gettime(id, &at);
  return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

double fh_clock(void) {
  return read_clock(CLOCK_MONOTONIC);
}

double fh_now(void) {
  return read_clock(CLOCK_REALTIME);
}

static pid_t process;

static void learn_process(void) {
  process = getpid();
}

static void learn_processes(void) {
  learn_process();
  pthread_atfork(NULL, NULL, learn_process);
}

pid_t fh_pid(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, learn_processes);
  return process;
}

int fh_poller_open(fh_poller *poller) {
  *poller = (fh_poller){.fd = epoll_create1(EPOLL_CLOEXEC), .pid = fh_pid()};
  return poller->fd < 0 ? errno : 0;
}

bool fh_poller_ours(const fh_poller *poller) {
  return poller->pid == fh_pid();
}

void fh_poller_close(fh_poller *poller) {
  while (poller->timers)
    fh_timer_close(poller->timers);
  free(poller->watches);
  if (poller->fd >= 0)
    close(poller->fd);
  *poller = (fh_poller){.fd = -1};
}

/* --- watches --------------------------------------------------------------
 */

static int make_room(fh_poller *poller, int fd) {
  size_t needed = (size_t)fd + 1;
  if (needed <= poller->capacity)
    return 0;
  size_t capacity = poller->capacity ? poller->capacity : FIRST_WATCHES;
  while (capacity < needed)
    capacity *= 2;
  fh_watch *watches = realloc(poller->watches, capacity * sizeof *watches);
  if (!watches)
    return ENOMEM;
  memset(watches + poller->capacity, 0,
         (capacity - poller->capacity) * sizeof *watches);
  poller->watches = watches;
  poller->capacity = capacity;
  return 0;
}

static int control(fh_poller *poller, int operation, int fd,
                   const fh_watch *watch) {
  struct epoll_event event = {
      .events = (watch->interest & FH_READ ? EPOLLIN | EPOLLRDHUP : 0) |
                (watch->interest & FH_WRITE ? EPOLLOUT : 0),
      .data.u64 = (uint64_t)watch->generation << 32 | (uint32_t)fd,
  };
  return epoll_ctl(poller->fd, operation, fd, &event) < 0 ? errno : 0;
}

int fh_poller_watch(fh_poller *poller, int fd, unsigned interest,
                    fh_watch_fn *ready, void *owner) {
  if (fd < 0)
    return EBADF;
  int error = make_room(poller, fd);
  if (error)
    return error;
  fh_watch *old = &poller->watches[fd];
  if (old->disarmed && old->interest == interest) {
    *old = (fh_watch){ready, owner, interest, old->generation, true, false};
    return 0;
  }
  fh_watch watch = {ready,           owner, interest, old->generation + 1,
                    old->persistent, false};
  bool known = old->interest != 0;
  error = control(poller, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &watch);
  /* A descriptor closed and opened again under our hands leaves epoll and our
   * table of two minds; epoll is right. */
  if (error == ENOENT)
    error = control(poller, EPOLL_CTL_ADD, fd, &watch);
  else if (error == EEXIST)
    error = control(poller, EPOLL_CTL_MOD, fd, &watch);
  if (!error)
    *old = watch;
  return error;
}

static fh_watch *find_watch(const fh_poller *poller, int fd) {
  return fd >= 0 && (size_t)fd < poller->capacity ? &poller->watches[fd]
                                                  : NULL;
}

static void end_watch(fh_poller *poller, int fd, fh_watch *watch) {
  if (watch->interest != 0)
    epoll_ctl(poller->fd, EPOLL_CTL_DEL, fd, NULL);
  *watch = (fh_watch){.generation = watch->generation + 1,
                      .persistent = watch->persistent};
}

void fh_poller_unwatch(fh_poller *poller, int fd) {
  fh_watch *watch = find_watch(poller, fd);
  if (!watch || watch->interest == 0)
    return;
  if (watch->persistent)
    watch->disarmed = true;
  else
    end_watch(poller, fd, watch);
}

void fh_poller_adopt(fh_poller *poller, int fd) {
  if (fd >= 0 && make_room(poller, fd) == 0)
    poller->watches[fd].persistent = true;
}

void fh_poller_drop(fh_poller *poller, int fd) {
  fh_watch *watch = find_watch(poller, fd);
  if (!watch)
    return;
  end_watch(poller, fd, watch);
  watch->persistent = false;
}

/* --- timers ---------------------------------------------------------------
 */

void fh_timer_open(fh_timer *timer, fh_poller *poller, fh_timer_fn *fire,
                   void *owner) {
  *timer =
      (fh_timer){poller, fire, owner, -1, poller->timers, &poller->timers};
  if (timer->next)
    timer->next->link = &timer->next;
  poller->timers = timer;
}

void fh_timer_close(fh_timer *timer) {
  if (!timer->poller)
    return;
  *timer->link = timer->next;
  if (timer->next)
    timer->next->link = timer->link;
  timer->poller = NULL;
}

void fh_timer_arm(fh_timer *timer, double seconds) {
  timer->due = fh_clock() + seconds;
}

void fh_timer_disarm(fh_timer *timer) {
  timer->due = -1;
}

double fh_poller_timeout(const fh_poller *poller) {
  double first = -1;
  for (const fh_timer *timer = poller->timers; timer; timer = timer->next)
    if (timer->due >= 0 && (first < 0 || timer->due < first))
      first = timer->due;
  if (first < 0)
    return -1;
  double left = first - fh_clock();
  return left > 0 ? left : 0;
}

/* The list is walked from the start after each call, because the callback may
 * have closed any timer. Only what was due when the walk began is fired, so a
 * timer that arms itself with 0 cannot hold us here. */
static void fire_timers(fh_poller *poller) {
  if (!poller->timers)
    return;
  double now = fh_clock();
  fh_timer *timer = poller->timers;
  while (timer) {
    if (timer->due >= 0 && timer->due <= now) {
      timer->due = -1;
      timer->fire(timer->owner);
      timer = poller->timers;
    } else {
      timer = timer->next;
    }
  }
}

/* --- the wait -------------------------------------------------------------
 */

/* Milliseconds, rounded up: waking early would only mean waiting again. */
static int milliseconds(double seconds) {
  if (seconds < 0)
    return -1;
  if (seconds > INT_MAX / 1000)
    return INT_MAX;
  int ms = (int)(seconds * 1000);
  return ms < seconds * 1000 ? ms + 1 : ms;
}

static void dispatch(fh_poller *poller, const struct epoll_event *event) {
  size_t fd = (uint32_t)event->data.u64;
  unsigned generation = (unsigned)(event->data.u64 >> 32);
  if (fd >= poller->capacity)
    return;
  fh_watch *watch = &poller->watches[fd];
  if (watch->generation != generation)
    return;
  if (watch->disarmed)
    end_watch(poller, (int)fd, watch);
  if (!watch->ready)
    return;
  unsigned events = 0;
  if (event->events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP))
    events |= FH_READ;
  if (event->events & EPOLLOUT)
    events |= FH_WRITE;
  if (event->events & EPOLLERR)
    events |= FH_ERROR;
  watch->ready(watch->owner, (int)fd, events);
}

int fh_poller_wait(fh_poller *poller, double seconds) {
  struct epoll_event events[BATCH];
  double first = fh_poller_timeout(poller);
  if (first >= 0 && (seconds < 0 || first < seconds))
    seconds = first;
  int count = epoll_wait(poller->fd, events, BATCH, milliseconds(seconds));
  if (count < 0 && errno != EINTR)
    return errno;
  for (int i = 0; i < count; i++)
    dispatch(poller, &events[i]);
  fire_timers(poller);
  return 0;
}

/* --- signals --------------------------------------------------------------
 */

struct fh_signals {
  int fd;
  sigset_t blocked; /* those that were not blocked before */
};

int fh_signals_open(fh_signals **out, const int *numbers, size_t count) {
  sigset_t wanted, before;
  sigemptyset(&wanted);
  for (size_t i = 0; i < count; i++)
    sigaddset(&wanted, numbers[i]);
  fh_signals *signals = malloc(sizeof *signals);
  if (!signals)
    return ENOMEM;
  signals->fd = signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC);
  if (signals->fd < 0) {
    int error = errno;
    free(signals);
    return error;
  }
  pthread_sigmask(SIG_BLOCK, &wanted, &before);
  sigemptyset(&signals->blocked);
  for (size_t i = 0; i < count; i++)
    if (!sigismember(&before, numbers[i]))
      sigaddset(&signals->blocked, numbers[i]);
  *out = signals;
  return 0;
}

int fh_signals_fd(const fh_signals *signals) {
  return signals->fd;
}

int fh_signals_next(fh_signals *signals) {
  struct signalfd_siginfo info;
  ssize_t got = read(signals->fd, &info, sizeof info);
  return got == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}

void fh_signals_close(fh_signals *signals) {
  if (!signals)
    return;
  close(signals->fd);
  pthread_sigmask(SIG_UNBLOCK, &signals->blocked, NULL);
  free(signals);
}
