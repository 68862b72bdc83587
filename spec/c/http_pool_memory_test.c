/* A request with libcurl out of memory: at its nth allocation once, or from
 * the nth on, for every n until the request gets through. Whatever happens, it
 * ends with an answer or a failure, and the same pool then serves a good
 * request. */
#include "support.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "http_pool.h"

static long allocations; /* since the last start */
static long failing;     /* the first that fails; 0: none */
static bool sticky;      /* and so do all after it */

static bool fails(void) {
  allocations++;
  return failing && (sticky ? allocations >= failing : allocations == failing);
}

static void *scarce_malloc(size_t size) {
  return fails() ? NULL : malloc(size);
}

static void *scarce_calloc(size_t count, size_t size) {
  return fails() ? NULL : calloc(count, size);
}

static void *scarce_realloc(void *old, size_t size) {
  return fails() ? NULL : realloc(old, size);
}

static char *scarce_strdup(const char *text) {
  return fails() ? NULL : strdup(text);
}

typedef struct world {
  fh_poller poller;
  fh_pool pool;
  int listener;
  int peers[64];
  int count;
  char url[64];
} world;

static void open_world(world *w) {
  struct sockaddr_in at = {.sin_family = AF_INET,
                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof at;
  *w = (world){.listener = socket(AF_INET, SOCK_STREAM, 0)};
  assert_int_equal(0, bind(w->listener, (struct sockaddr *)&at, size));
  assert_int_equal(0, listen(w->listener, 64));
  getsockname(w->listener, (struct sockaddr *)&at, &size);
  snprintf(w->url, sizeof w->url, "http://127.0.0.1:%d/a", ntohs(at.sin_port));
  assert_int_equal(0, fh_poller_open(&w->poller));
}

static void hang_up(world *w) {
  while (w->count > 0)
    close(w->peers[--w->count]);
}

static void close_world(world *w) {
  hang_up(w);
  fh_poller_close(&w->poller);
  close(w->listener);
}

static bool is_readable(int fd) {
  struct pollfd wait = {.fd = fd, .events = POLLIN};
  return poll(&wait, 1, 0) == 1;
}

/* Answers whatever has come. */
static void serve(world *w) {
  static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  char bytes[4096];
  while (w->count < 64 && is_readable(w->listener))
    w->peers[w->count++] = accept(w->listener, NULL, NULL);
  for (int i = 0; i < w->count; i++)
    if (is_readable(w->peers[i]) &&
        recv(w->peers[i], bytes, sizeof bytes, 0) > 0)
      send(w->peers[i], ok, sizeof ok - 1, MSG_NOSIGNAL);
}

/* Runs one POST; true where it was answered. */
static bool ask(world *w) {
  static const fh_header headers[] = {{{"A", 1}, {"b", 1}}};
  fh_transfer transfer = {0};
  fh_refusal refusal = {0};
  fh_request request = {.method = {"POST", 4},
                        .url = {w->url, strlen(w->url)},
                        .body = {"body", 4},
                        .headers = headers,
                        .header_count = 1,
                        .timeout = 5,
                        .max_response = 100};
  if (!fh_pool_start(&w->pool, &transfer, &request, &refusal)) {
    assert_non_null(refusal.kind);
    assert_non_null(refusal.message);
    return false;
  }
  fh_transfer *ended = NULL;
  for (int i = 0; i < 1000 && !ended; i++) {
    fh_poller_wait(&w->poller, 0.005);
    serve(w);
    ended = fh_pool_next(&w->pool);
  }
  assert_ptr_equal(&transfer, ended);
  bool answered = transfer.kind == NULL;
  if (answered) {
    assert_int_equal(200, transfer.status);
    assert_int_equal(2, transfer.response.body.size);
  } else {
    assert_non_null(transfer.message);
  }
  fh_transfer_free(&transfer);
  return answered;
}

/* The first request of a pool, with the nth allocation failing. */
static bool try_with(world *w, long n) {
  allocations = 0;
  failing = n;
  bool answered = false;
  if (fh_pool_open(&w->pool, &w->poller, 4)) {
    answered = ask(w);
    failing = 0;
    if (!ask(w))
      fail_msg("the pool is lost after allocation %ld", n);
    fh_pool_close(&w->pool);
  }
  failing = 0;
  hang_up(w);
  return answered;
}

enum { ANSWERED = 1, FAILED = 2 };

/* In a child: libcurl 7.88 divides by zero when the table that it keeps of its
 * sockets cannot grow, and nothing that its user does can prevent it. */
static int try_in_child(long n) {
  pid_t child = fork();
  if (child == 0) {
    world w;
    signal(SIGFPE, SIG_DFL);
    open_world(&w);
    bool answered = try_with(&w, n);
    close_world(&w);
    _exit(answered ? ANSWERED : FAILED);
  }
  int status;
  assert_int_equal(child, waitpid(child, &status, 0));
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGFPE)
    return FAILED;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void try_all(void) {
  int answered = 0;
  long n = 1;
  /* Some allocations may fail without harm, so one answer is not the end. */
  for (; answered < 8; n++) {
    int outcome = try_in_child(n);
    if (outcome != ANSWERED && outcome != FAILED)
      fail_msg("allocation %ld: %d", n, outcome);
    answered = outcome == ANSWERED ? answered + 1 : 0;
  }
  assert_true(n > 20);
}

static void one_allocation_fails(void **state) {
  (void)state;
  sticky = false;
  try_all();
}

static void all_allocations_fail_from_some_point_on(void **state) {
  (void)state;
  sticky = true;
  try_all();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(one_allocation_fails),
      cmocka_unit_test(all_allocations_fail_from_some_point_on),
  };
  curl_global_init_mem(CURL_GLOBAL_DEFAULT, scarce_malloc, free,
                       scarce_realloc, scarce_strdup, scarce_calloc);
  return fh_http_init() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
