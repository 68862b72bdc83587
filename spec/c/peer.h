/* The other end of a listener, in the same thread: what it sends and hears
 * while the listener runs. Include support.h before. */
#ifndef FH_SPEC_PEER_H
#define FH_SPEC_PEER_H

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>

#include "server_listener.h"

static inline double peer_clock(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A listener with short times, on a port of its own. */
static inline fh_listener *peer_listen(fh_listener_options *options) {
  char message[256] = "";
  fh_listener *l = fh_listener_new(options, message, sizeof message);
  if (!l)
    fail_msg("%s", message);
  return l;
}

static inline int peer_dial(const fh_listener *l) {
  struct sockaddr_in to = {.sin_family = AF_INET,
                           .sin_port = htons((uint16_t)fh_listener_port(l)),
                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  assert_true(fd >= 0);
  assert_int_equal(0, connect(fd, (struct sockaddr *)&to, sizeof to));
  return fd;
}

static inline void peer_say_bytes(int fd, const char *bytes, size_t size) {
  assert_int_equal(size, send(fd, bytes, size, MSG_NOSIGNAL));
}

static inline void peer_say(int fd, const char *text) {
  peer_say_bytes(fd, text, strlen(text));
}

/* One wait of at most `seconds` and one run. */
static inline void peer_turn(fh_listener *l, double seconds) {
  double timeout = fh_listener_timeout(l);
  if (timeout < 0 || timeout > seconds)
    timeout = seconds;
  struct pollfd wait = {.fd = fh_listener_fd(l), .events = POLLIN};
  poll(&wait, 1, (int)(timeout * 1000) + (timeout > 0));
  fh_listener_run(l, 1);
}

/* Runs until there is a request, which it links. */
static inline void peer_await(fh_listener *l, fh_exchange *request) {
  double end = peer_clock() + 20;
  while (!fh_listener_next(l, request)) {
    assert_true(peer_clock() < end);
    peer_turn(l, 0.1);
  }
}

/* Runs until `active` connections are left. */
static inline void peer_settle(fh_listener *l, size_t active) {
  double end = peer_clock() + 20;
  while (fh_listener_active(l) != active) {
    assert_true(peer_clock() < end);
    peer_turn(l, 0.02);
  }
}

/* Runs until the connection is closed from the other side, or `text` holds
 * `until`; answers nothing. Returns whether it was closed. */
static inline bool peer_hear(fh_listener *l, int fd, char *text, size_t size,
                             const char *until) {
  size_t heard = 0;
  double end = peer_clock() + 20;
  text[0] = '\0';
  while (peer_clock() < end) {
    ssize_t got = recv(fd, text + heard, size - heard - 1, MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN))
      return true;
    heard += got > 0 ? (size_t)got : 0;
    text[heard] = '\0';
    if (until && strstr(text, until))
      return false;
    peer_turn(l, 0.02);
  }
  fail_msg("neither closed nor '%s', but: %s", until ? until : "", text);
  return false;
}

#define PEER_GET "GET / HTTP/1.1\r\nHost: h\r\n\r\n"

/* A connection whose request has been handed over. */
static inline int peer_ask(fh_listener *l, fh_exchange *request) {
  int fd = peer_dial(l);
  *request = (fh_exchange){0};
  peer_say(fd, PEER_GET);
  peer_await(l, request);
  return fd;
}

static inline void peer_end(fh_listener *l, int fd) {
  close(fd);
  fh_listener_free(l);
}

#endif
