#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "util_poller.h"

typedef struct calls {
  fh_poller *poller;
  int count;
  int fd;
  unsigned events;
  int other; /* unwatched by the callback; -1: none */
  fh_timer *timer;
} calls;

static void on_ready(void *owner, int fd, unsigned events) {
  calls *c = owner;
  c->count++;
  c->fd = fd;
  c->events = events;
  if (c->other >= 0)
    fh_poller_unwatch(c->poller, fd == c->other ? fd : c->other);
}

static void on_time(void *owner) {
  calls *c = owner;
  c->count++;
  if (c->timer)
    fh_timer_close(c->timer);
}

static void make_pipe(int ends[2]) {
  assert_int_equal(0, pipe(ends));
}

static void close_pipe(int ends[2]) {
  close(ends[0]);
  close(ends[1]);
}

static void put_byte(int ends[2]) {
  assert_int_equal(1, write(ends[1], "x", 1));
}

static void open_poller(fh_poller *poller) {
  assert_int_equal(0, fh_poller_open(poller));
}

static void calls_back_what_is_ready(void **state) {
  (void)state;
  fh_poller poller;
  int ends[2];
  open_poller(&poller);
  make_pipe(ends);
  calls c = {&poller, .other = -1};
  assert_int_equal(0,
                   fh_poller_watch(&poller, ends[0], FH_READ, on_ready, &c));
  assert_int_equal(0, fh_poller_wait(&poller, 0));
  assert_int_equal(0, c.count);
  put_byte(ends);
  assert_int_equal(0, fh_poller_wait(&poller, -1));
  assert_int_equal(1, c.count);
  assert_int_equal(ends[0], c.fd);
  assert_int_equal(FH_READ, c.events);
  fh_poller_unwatch(&poller, ends[0]);
  fh_poller_unwatch(&poller, ends[0]);
  assert_int_equal(0, fh_poller_wait(&poller, 0));
  assert_int_equal(1, c.count);
  fh_poller_close(&poller);
  close_pipe(ends);
}

static void a_watch_can_change_its_mind(void **state) {
  (void)state;
  fh_poller poller;
  int ends[2];
  open_poller(&poller);
  make_pipe(ends);
  calls c = {&poller, .other = -1};
  assert_int_equal(0,
                   fh_poller_watch(&poller, ends[1], FH_READ, on_ready, &c));
  assert_int_equal(0, fh_poller_wait(&poller, 0));
  assert_int_equal(0, c.count);
  assert_int_equal(0,
                   fh_poller_watch(&poller, ends[1], FH_WRITE, on_ready, &c));
  assert_int_equal(0, fh_poller_wait(&poller, 0));
  assert_int_equal(FH_WRITE, c.events);
  fh_poller_close(&poller);
  close_pipe(ends);
}

/* Both are ready and read in one batch; whichever is called first removes the
 * other, which must not be called any more. */
static void what_was_removed_is_not_called(void **state) {
  (void)state;
  fh_poller poller;
  int a[2], b[2];
  open_poller(&poller);
  make_pipe(a);
  make_pipe(b);
  calls first = {&poller, .other = b[0]}, second = {&poller, .other = a[0]};
  assert_int_equal(0,
                   fh_poller_watch(&poller, a[0], FH_READ, on_ready, &first));
  assert_int_equal(0,
                   fh_poller_watch(&poller, b[0], FH_READ, on_ready, &second));
  put_byte(a);
  put_byte(b);
  assert_int_equal(0, fh_poller_wait(&poller, 0));
  assert_int_equal(1, first.count + second.count);
  fh_poller_close(&poller);
  close_pipe(a);
  close_pipe(b);
}

static void a_descriptor_may_be_closed_and_come_again(void **state) {
  (void)state;
  fh_poller poller;
  int a[2], b[2];
  open_poller(&poller);
  make_pipe(a);
  calls c = {&poller, .other = -1};
  assert_int_equal(0, fh_poller_watch(&poller, a[0], FH_READ, on_ready, &c));
  close_pipe(a); /* without a word to the poller */
  make_pipe(b);
  assert_int_equal(a[0], b[0]);
  assert_int_equal(0, fh_poller_watch(&poller, b[0], FH_READ, on_ready, &c));
  put_byte(b);
  assert_int_equal(0, fh_poller_wait(&poller, 0));
  assert_int_equal(1, c.count);
  close_pipe(b);
  fh_poller_unwatch(&poller, b[0]);
  fh_poller_close(&poller);
}

static bool is_readable(int fd) {
  struct pollfd wait = {.fd = fd, .events = POLLIN};
  return poll(&wait, 1, 0) == 1;
}

/* Between two watches of an adopted descriptor the kernel goes on looking. */
static void what_comes_between_two_watches_calls_nobody(void **state) {
  (void)state;
  fh_poller poller;
  int ends[2];
  open_poller(&poller);
  make_pipe(ends);
  calls c = {&poller, .other = -1};
  fh_poller_adopt(&poller, ends[0]);
  for (int i = 1; i <= 2; i++) {
    assert_int_equal(0,
                     fh_poller_watch(&poller, ends[0], FH_READ, on_ready, &c));
    fh_poller_unwatch(&poller, ends[0]);
    put_byte(ends);
    assert_true(is_readable(poller.fd));
    assert_int_equal(0, fh_poller_wait(&poller, -1));
    assert_int_equal(i - 1, c.count);
    assert_false(is_readable(poller.fd));
    assert_int_equal(0,
                     fh_poller_watch(&poller, ends[0], FH_READ, on_ready, &c));
    assert_int_equal(0, fh_poller_wait(&poller, -1));
    assert_int_equal(i, c.count);
    fh_poller_unwatch(&poller, ends[0]);
  }
  fh_poller_drop(&poller, ends[0]);
  assert_int_equal(0, fh_poller_wait(&poller, 0));
  fh_poller_close(&poller);
  close_pipe(ends);
}

static void an_adopted_descriptor_is_watched_anew(void **state) {
  (void)state;
  fh_poller poller;
  int ends[2];
  open_poller(&poller);
  make_pipe(ends);
  calls first = {&poller, .other = -1}, second = {&poller, .other = -1};
  fh_poller_adopt(&poller, ends[1]);
  assert_int_equal(
      0, fh_poller_watch(&poller, ends[1], FH_READ, on_ready, &first));
  fh_poller_unwatch(&poller, ends[1]);
  assert_int_equal(
      0, fh_poller_watch(&poller, ends[1], FH_WRITE, on_ready, &second));
  assert_int_equal(0, fh_poller_wait(&poller, 0));
  fh_poller_unwatch(&poller, ends[1]);
  assert_int_equal(
      0, fh_poller_watch(&poller, ends[1], FH_WRITE, on_ready, &first));
  assert_int_equal(0, fh_poller_wait(&poller, 0));
  assert_int_equal(1, first.count);
  assert_int_equal(1, second.count);
  assert_int_equal(FH_WRITE, first.events);
  fh_poller_close(&poller);
  close_pipe(ends);
}

/* Else the kernel's set would keep what only a copy holds open. */
static void a_dropped_descriptor_leaves_nothing_behind(void **state) {
  (void)state;
  fh_poller poller;
  int ends[2];
  open_poller(&poller);
  make_pipe(ends);
  int copy = dup(ends[0]);
  calls c = {&poller, .other = -1};
  fh_poller_adopt(&poller, ends[0]);
  assert_int_equal(0,
                   fh_poller_watch(&poller, ends[0], FH_READ, on_ready, &c));
  fh_poller_unwatch(&poller, ends[0]);
  fh_poller_drop(&poller, ends[0]);
  put_byte(ends);
  close_pipe(ends);
  assert_false(is_readable(poller.fd));
  fh_poller_drop(&poller, -1);
  fh_poller_drop(&poller, 1000000);
  fh_poller_adopt(&poller, -1);
  fh_poller_close(&poller);
  close(copy);
}

static void refuses_what_cannot_be_watched(void **state) {
  (void)state;
  fh_poller poller;
  open_poller(&poller);
  assert_int_equal(EBADF, fh_poller_watch(&poller, -1, FH_READ, NULL, NULL));
  int file = open("/proc/self/status", O_RDONLY);
  close(file);
  assert_int_equal(EBADF, fh_poller_watch(&poller, file, FH_READ, NULL, NULL));
  file = open("/dev/null", O_RDONLY);
  assert_int_equal(EPERM, fh_poller_watch(&poller, file, FH_READ, NULL, NULL));
  close(file);
  fh_poller_unwatch(&poller, -1);
  fh_poller_unwatch(&poller, 1000000);
  fh_poller_close(&poller);
}

static void nests_and_is_readable_itself(void **state) {
  (void)state;
  fh_poller outer, inner;
  int ends[2];
  open_poller(&outer);
  open_poller(&inner);
  make_pipe(ends);
  calls c = {&outer, .other = -1};
  assert_int_equal(0, fh_poller_watch(&inner, ends[0], FH_READ, NULL, NULL));
  assert_int_equal(0,
                   fh_poller_watch(&outer, inner.fd, FH_READ, on_ready, &c));
  assert_int_equal(0, fh_poller_wait(&outer, 0));
  assert_int_equal(0, c.count);
  put_byte(ends);
  assert_int_equal(0, fh_poller_wait(&outer, -1));
  assert_int_equal(1, c.count);
  struct pollfd wait = {.fd = outer.fd, .events = POLLIN};
  assert_int_equal(1, poll(&wait, 1, 0));
  fh_poller_close(&inner);
  fh_poller_close(&outer);
  close_pipe(ends);
}

static void timers_end_the_wait(void **state) {
  (void)state;
  fh_poller poller;
  open_poller(&poller);
  calls c = {.poller = &poller};
  fh_timer first, second;
  fh_timer_open(&first, &poller, on_time, &c);
  fh_timer_open(&second, &poller, on_time, &c);
  assert_true(fh_poller_timeout(&poller) < 0);
  double begun = fh_clock();
  fh_timer_arm(&first, 100);
  fh_timer_arm(&second, 0.005);
  assert_true(fh_poller_timeout(&poller) <= 0.005);
  assert_int_equal(0, fh_poller_wait(&poller, -1));
  assert_true(fh_clock() - begun >= 0.005);
  assert_int_equal(1, c.count);
  fh_timer_disarm(&first);
  assert_true(fh_poller_timeout(&poller) < 0);
  fh_timer_close(&first);
  fh_timer_close(&first);
  fh_poller_close(&poller);
  assert_null(second.poller);
  fh_timer_close(&second);
}

static void a_timer_may_close_another(void **state) {
  (void)state;
  fh_poller poller;
  open_poller(&poller);
  fh_timer a, b;
  calls ca = {&poller, .timer = &b}, cb = {&poller, .timer = &a};
  fh_timer_open(&a, &poller, on_time, &ca);
  fh_timer_open(&b, &poller, on_time, &cb);
  fh_timer_arm(&a, 0);
  fh_timer_arm(&b, 0);
  assert_int_equal(0, fh_poller_wait(&poller, 0));
  assert_int_equal(1, ca.count + cb.count);
  fh_poller_close(&poller);
}

static void a_child_process_is_told(void **state) {
  (void)state;
  fh_poller poller;
  open_poller(&poller);
  assert_true(fh_poller_ours(&poller));
  pid_t child = fork();
  if (child == 0)
    _exit(fh_poller_ours(&poller) || fh_pid() != getpid() ? 1 : 7);
  int status;
  assert_int_equal(child, waitpid(child, &status, 0));
  assert_int_equal(7, WEXITSTATUS(status));
  assert_int_equal(getpid(), fh_pid());
  fh_poller_close(&poller);
}

static void signals_come_as_readiness(void **state) {
  (void)state;
  fh_poller poller;
  fh_signals *signals;
  static const int numbers[] = {SIGUSR1, SIGUSR2};
  sigset_t before, after;
  pthread_sigmask(SIG_BLOCK, NULL, &before);
  open_poller(&poller);
  assert_int_equal(0, fh_signals_open(&signals, numbers, 2));
  calls c = {&poller, .other = -1};
  assert_int_equal(0, fh_poller_watch(&poller, fh_signals_fd(signals), FH_READ,
                                      on_ready, &c));
  assert_int_equal(0, fh_signals_next(signals));
  raise(SIGUSR1);
  assert_int_equal(0, fh_poller_wait(&poller, -1));
  assert_int_equal(1, c.count);
  assert_int_equal(SIGUSR1, fh_signals_next(signals));
  assert_int_equal(0, fh_signals_next(signals));
  fh_poller_unwatch(&poller, fh_signals_fd(signals));
  fh_signals_close(signals);
  fh_signals_close(NULL);
  pthread_sigmask(SIG_BLOCK, NULL, &after);
  assert_int_equal(sigismember(&before, SIGUSR1),
                   sigismember(&after, SIGUSR1));
  fh_poller_close(&poller);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(calls_back_what_is_ready),
      cmocka_unit_test(a_watch_can_change_its_mind),
      cmocka_unit_test(what_was_removed_is_not_called),
      cmocka_unit_test(a_descriptor_may_be_closed_and_come_again),
      cmocka_unit_test(what_comes_between_two_watches_calls_nobody),
      cmocka_unit_test(an_adopted_descriptor_is_watched_anew),
      cmocka_unit_test(a_dropped_descriptor_leaves_nothing_behind),
      cmocka_unit_test(refuses_what_cannot_be_watched),
      cmocka_unit_test(nests_and_is_readable_itself),
      cmocka_unit_test(timers_end_the_wait),
      cmocka_unit_test(a_timer_may_close_another),
      cmocka_unit_test(a_child_process_is_told),
      cmocka_unit_test(signals_come_as_readiness),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
