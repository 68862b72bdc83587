/* Pools and requests against a peer in the same thread: a listening socket
 * whose connections are accepted and answered between the waits. */
#include "support.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "http_pool.h"

typedef struct world {
  fh_poller poller;
  fh_pool pool;
  int listener;
  char url[64];
} world;

static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

static int open_world(void **state) {
  world *w = calloc(1, sizeof *w);
  struct sockaddr_in at = {.sin_family = AF_INET,
                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof at;
  assert_true(fh_http_init());
  w->listener = socket(AF_INET, SOCK_STREAM, 0);
  assert_int_equal(0, bind(w->listener, (struct sockaddr *)&at, size));
  assert_int_equal(0, listen(w->listener, 8));
  getsockname(w->listener, (struct sockaddr *)&at, &size);
  snprintf(w->url, sizeof w->url, "http://127.0.0.1:%d/a", ntohs(at.sin_port));
  assert_int_equal(0, fh_poller_open(&w->poller));
  assert_true(fh_pool_open(&w->pool, &w->poller, 0));
  *state = w;
  return 0;
}

static int close_world(void **state) {
  world *w = *state;
  fh_pool_close(&w->pool);
  fh_poller_close(&w->poller);
  close(w->listener);
  free(w);
  return 0;
}

static fh_text text(const char *s) {
  return (fh_text){s, s ? strlen(s) : 0};
}

static bool start(world *w, fh_transfer *transfer, const char *method,
                  const char *body) {
  fh_refusal refusal = {0};
  fh_request request = {.method = text(method),
                        .url = text(w->url),
                        .body = text(body),
                        .timeout = 10,
                        .max_response = 100};
  *transfer = (fh_transfer){0};
  return fh_pool_start(&w->pool, transfer, &request, &refusal);
}

static bool is_readable(int fd) {
  struct pollfd wait = {.fd = fd, .events = POLLIN};
  return poll(&wait, 1, 0) == 1;
}

/* The peer's end of the next connection, once a request came on it. */
static int accept_one(world *w) {
  char bytes[4096];
  int peer = -1;
  for (int i = 0; i < 1000 && (peer < 0 || !is_readable(peer)); i++) {
    fh_poller_wait(&w->poller, 0.01);
    if (peer < 0 && is_readable(w->listener))
      peer = accept(w->listener, NULL, NULL);
  }
  assert_true(peer >= 0);
  assert_true(recv(peer, bytes, sizeof bytes, MSG_DONTWAIT) > 0);
  return peer;
}

static void say(int peer, const char *bytes) {
  assert_int_equal(strlen(bytes), send(peer, bytes, strlen(bytes), 0));
}

static fh_transfer *await(world *w) {
  fh_transfer *ended = fh_pool_next(&w->pool);
  for (int i = 0; i < 1000 && !ended; i++) {
    fh_poller_wait(&w->poller, 0.01);
    ended = fh_pool_next(&w->pool);
  }
  assert_non_null(ended);
  return ended;
}

static void a_request_is_answered(void **state) {
  world *w = *state;
  fh_transfer transfer;
  assert_true(start(w, &transfer, "GET", NULL));
  int peer = accept_one(w);
  say(peer, ok);
  assert_ptr_equal(&transfer, await(w));
  assert_null(transfer.kind);
  assert_null(transfer.easy);
  assert_int_equal(200, transfer.status);
  assert_int_equal(2, transfer.response.body.size);
  assert_memory_equal("ok", transfer.response.body.data, 2);
  fh_transfer_free(&transfer);
  fh_transfer_free(&transfer);
  close(peer);
}

/* libcurl would take it for more of the last answer's last header, whose block
 * is free again: a large one, that nothing else has taken since. */
static void an_answer_continues_no_other(void **state) {
  world *w = *state;
  fh_transfer transfer;
  char first[1024];
  snprintf(first, sizeof first,
           "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Last: %0600d\r\n\r\n",
           0);
  const char *const responses[] = {
      first, "HTTP/1.1 200 OK\r\n more: x\r\nContent-Length: 0\r\n\r\n", ok};
  for (int i = 0; i < 3; i++) {
    assert_true(start(w, &transfer, "GET", NULL));
    int peer = accept_one(w);
    say(peer, responses[i]);
    assert_ptr_equal(&transfer, await(w));
    if (i != 1) /* the other is refused or not, by libcurl's version */
      assert_null(transfer.kind);
    fh_transfer_free(&transfer);
    close(peer);
  }
}

/* While it is kept nobody waits for it, and the poller is not held up. */
static void a_kept_connection_may_end(void **state) {
  world *w = *state;
  fh_transfer transfer;
  for (int i = 0; i < 2; i++) {
    assert_true(start(w, &transfer, "GET", NULL));
    int peer = accept_one(w);
    say(peer, ok);
    assert_ptr_equal(&transfer, await(w));
    assert_null(transfer.kind);
    fh_transfer_free(&transfer);
    close(peer);
    assert_int_equal(0, fh_poller_wait(&w->poller, 1));
    assert_false(is_readable(w->poller.fd));
  }
}

static void requests_end_in_their_order(void **state) {
  world *w = *state;
  fh_transfer a, b;
  assert_true(start(w, &a, "GET", NULL));
  int first = accept_one(w);
  assert_true(start(w, &b, "GET", NULL));
  int second = accept_one(w);
  say(second, ok);
  assert_ptr_equal(&b, await(w));
  say(first, ok);
  assert_ptr_equal(&a, await(w));
  fh_transfer_free(&a);
  fh_transfer_free(&b);
  close(first);
  close(second);
}

static void a_lost_answer_was_sent(void **state) {
  world *w = *state;
  fh_transfer transfer;
  assert_true(start(w, &transfer, "POST", "x"));
  int peer = accept_one(w);
  struct linger hard = {1, 0};
  setsockopt(peer, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  close(peer);
  assert_ptr_equal(&transfer, await(w));
  assert_string_equal("reset", transfer.kind);
  assert_true(transfer.sent);
  assert_int_equal(0, transfer.status);
  fh_transfer_free(&transfer);
}

static void a_cancelled_request_comes_out_once(void **state) {
  world *w = *state;
  fh_transfer a, b;
  assert_true(start(w, &a, "GET", NULL));
  assert_true(start(w, &b, "GET", NULL));
  fh_poller_wait(&w->poller, 0);
  fh_transfer_cancel(&a);
  fh_transfer_cancel(&a);
  assert_string_equal("cancelled", a.kind);
  assert_ptr_equal(&a, fh_pool_next(&w->pool));
  assert_null(fh_pool_next(&w->pool));
  fh_transfer_free(&b);
  assert_null(fh_pool_next(&w->pool));
  fh_transfer_free(&a);
}

static void an_ended_request_may_go_before_it_is_handed_out(void **state) {
  world *w = *state;
  fh_transfer a, b, c;
  assert_true(start(w, &a, "GET", NULL));
  assert_true(start(w, &b, "GET", NULL));
  assert_true(start(w, &c, "GET", NULL));
  fh_transfer_cancel(&a);
  fh_transfer_cancel(&b);
  fh_transfer_cancel(&c);
  fh_transfer_free(&c);
  fh_transfer_free(&a);
  assert_ptr_equal(&b, fh_pool_next(&w->pool));
  assert_null(fh_pool_next(&w->pool));
  assert_true(start(w, &a, "GET", NULL));
  fh_transfer_cancel(&a);
  assert_ptr_equal(&a, fh_pool_next(&w->pool));
  fh_transfer_free(&a);
  fh_transfer_free(&b);
}

static void closing_the_pool_ends_its_requests(void **state) {
  world *w = *state;
  fh_transfer running, ended;
  assert_true(start(w, &running, "GET", NULL));
  int peer = accept_one(w);
  assert_true(start(w, &ended, "GET", NULL));
  fh_transfer_cancel(&ended);
  fh_pool_close(&w->pool);
  assert_string_equal("closed", running.kind);
  assert_true(running.sent);
  assert_string_equal("cancelled", ended.kind);
  assert_null(running.pool);
  fh_transfer_free(&running);
  fh_transfer_free(&ended);
  close(peer);
}

static void a_closed_poller_leaves_the_pool_in_order(void **state) {
  world *w = *state;
  fh_transfer transfer, late;
  assert_true(start(w, &transfer, "GET", NULL));
  int peer = accept_one(w);
  fh_poller_close(&w->poller);
  assert_false(start(w, &late, "GET", NULL));
  fh_transfer_cancel(&transfer);
  fh_transfer_free(&transfer);
  close(peer);
}

static void a_socket_that_cannot_be_watched_fails_its_request(void **state) {
  world *w = *state;
  fh_transfer transfer;
  assert_true(start(w, &transfer, "GET", NULL));
  int real = w->poller.fd;
  w->poller.fd = w->listener; /* epoll_ctl refuses what is no epoll set */
  w->pool.timer.fire(w->pool.timer.owner);
  w->poller.fd = real;
  assert_ptr_equal(&transfer, fh_pool_next(&w->pool));
  assert_string_equal("connect", transfer.kind);
  assert_false(transfer.sent);
  fh_transfer_free(&transfer);
  close(accept(w->listener, NULL, NULL)); /* the one that was given up */
  a_request_is_answered(state);
}

static void a_child_process_lets_go_only(void **state) {
  world *w = *state;
  fh_transfer transfer, late;
  assert_true(start(w, &transfer, "GET", NULL));
  int peer = accept_one(w);
  pid_t child = fork();
  if (child == 0) {
    static CURLM *volatile kept; /* what is left alone is not lost */
    kept = w->pool.multi;
    bool good = !start(w, &late, "GET", NULL) && !fh_pool_next(&w->pool);
    fh_transfer_cancel(&transfer);
    good = good && !transfer.ended;
    fh_pool_close(&w->pool);
    good = good && transfer.ended && !strcmp(transfer.kind, "closed");
    fh_transfer_free(&transfer);
    _exit(good && kept ? 7 : 1);
  }
  int status;
  assert_int_equal(child, waitpid(child, &status, 0));
  assert_int_equal(7, WEXITSTATUS(status));
  say(peer, ok);
  assert_ptr_equal(&transfer, await(w));
  assert_null(transfer.kind);
  fh_transfer_free(&transfer);
  close(peer);
}

#define IN_WORLD(test)                                                        \
  cmocka_unit_test_setup_teardown(test, open_world, close_world)

int main(void) {
  const struct CMUnitTest tests[] = {
      IN_WORLD(a_request_is_answered),
      IN_WORLD(an_answer_continues_no_other),
      IN_WORLD(a_kept_connection_may_end),
      IN_WORLD(requests_end_in_their_order),
      IN_WORLD(a_lost_answer_was_sent),
      IN_WORLD(a_cancelled_request_comes_out_once),
      IN_WORLD(an_ended_request_may_go_before_it_is_handed_out),
      IN_WORLD(closing_the_pool_ends_its_requests),
      IN_WORLD(a_closed_poller_leaves_the_pool_in_order),
      IN_WORLD(a_socket_that_cannot_be_watched_fails_its_request),
      IN_WORLD(a_child_process_lets_go_only),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
