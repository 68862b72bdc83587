#include "server_legacy.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "server_connection.h"

enum {
  PAGE = 4096,
  LINGER_BYTES = 1 << 20, /* read and dropped after a refusal */
  PIECE = 16 * 1024,
  CLOSE_WAIT = 8, /* of a TCP socket: its peer has ended its side */
};

bool fh_legacy_is_loaded(void) {
  const char *version = MHD_get_version();
  return strncmp(version, "0.9.7", 5) == 0 && version[5] >= '0' &&
         version[5] <= '7' && version[6] == '\0';
}

static void hold(fh_connection *c) {
  fh_connection_hold(c, EPOLLIN);
}

/* libmicrohttpd would answer, too. */
static void refuse(fh_connection *c, unsigned status) {
  hold(c);
  fh_connection_refuse(c, status);
}

/* --- where things are ---------------------------------------------------- */

/* Bytes that libmicrohttpd has read from this connection so far. */
static bool count_read(const fh_connection *c, uint64_t *count) {
  struct tcp_info before, after;
  int unread;
  do {
    socklen_t size = sizeof before;
    if (getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &before, &size) != 0 ||
        size < offsetof(struct tcp_info, tcpi_segs_out) ||
        ioctl(c->fd, FIONREAD, &unread) != 0)
      return false;
    size = sizeof after;
    getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &after, &size);
  } while (before.tcpi_bytes_received != after.tcpi_bytes_received);
  bool ended = after.tcpi_state == CLOSE_WAIT; /* an end counts as one */
  *count = after.tcpi_bytes_received - (uint64_t)unread - ended;
  return after.tcpi_bytes_received > (uint64_t)unread; /* else not counted */
}

/* The same since the last byte that is accounted for. */
static bool count_new(const fh_connection *c, uint64_t *count) {
  if (!count_read(c, count) || *count < c->stream)
    return false;
  *count -= c->stream;
  return true;
}

/* --- the head ------------------------------------------------------------ */

/* Sets `lines` where the head is complete; refuses it where it is bad. */
static void check_lines(fh_connection *c, const char *raw, size_t size) {
  const fh_head_limits *limits = &c->listener->options.limits;
  memset(&c->head, 0, sizeof c->head);
  size_t lines = fh_head_lines(&c->head, limits, raw, size);
  unsigned status = c->head.status;
  if (lines)
    status = fh_head_verdict(&c->head, limits, c->legacy.minor);
  if (status)
    refuse(c, status);
  else
    c->legacy.lines = lines;
}

/* Checks what lies behind the request line: zeros follow what has arrived, but
 * the page may end before them, and behind the last page there is nothing. */
static size_t check_page(fh_connection *c) {
  const char *rest = c->legacy.rest;
  size_t room = (PAGE - (uintptr_t)rest % PAGE) % PAGE;
  size_t size = strnlen(rest, room);
  check_lines(c, rest, size);
  return size;
}

/* The same with the exact number of bytes. libmicrohttpd's memory begins with
 * the page of the method, and no more than half of it is filled before the
 * request line is known, unless the line is that long. */
static size_t check_all(fh_connection *c, const char *target, uint64_t count) {
  const char *rest = c->legacy.rest;
  const char *end = target - (uintptr_t)target % PAGE + count;
  size_t size = end > rest ? (size_t)(end - rest) : 0;
  if (count > FH_POOL / 2)
    refuse(c, 431);
  else
    check_lines(c, rest, size);
  return size;
}

static bool is_open(const fh_connection *c) {
  return !c->refused && c->legacy.lines == 0;
}

void fh_legacy_line(fh_connection *c, const char *target, size_t size) {
  const char *version = target + size + 1;
  const char *end = version + sizeof "HTTP/1.1" - 1;
  uint64_t count;
  c->legacy = (fh_legacy){.rest = end + 2};
  if (target[-1] != '\0' || strnlen(version, 9) != 8 || end[1] != '\0') {
    refuse(c, 400);
    return;
  }
  c->legacy.minor = end[-1];
  c->legacy.rest_size = check_page(c);
  if (is_open(c) && count_new(c, &count))
    c->legacy.rest_size = check_all(c, target, count);
  if (is_open(c))
    fh_connection_hold(c, EPOLLIN | EPOLLRDHUP | EPOLLET);
}

bool fh_legacy_head(const fh_connection *c, size_t size) {
  const fh_legacy *legacy = &c->legacy;
  return legacy->lines && legacy->rest + legacy->lines == c->method + size &&
         c->method + strlen(c->method) + c->target.size + 12 == legacy->rest;
}

/* The rest of a head that is held. */
static void look(fh_connection *c) {
  char *bytes = fh_connection_scratch(c);
  size_t before = c->legacy.rest_size;
  if (!bytes) {
    fh_connection_drop(c);
    return;
  }
  memcpy(bytes, c->legacy.rest, before);
  ssize_t got =
      recv(c->fd, bytes + before, FH_POOL - before, MSG_PEEK | MSG_DONTWAIT);
  size_t size = got > 0 ? (size_t)got : 0;
  size_t seen = c->legacy.seen;
  c->legacy.seen = size;
  if (size > seen && memchr(bytes + before + seen, '\n', size - seen))
    check_lines(c, bytes, before + size);
  if (c->refused)
    return;
  if (c->legacy.lines)
    fh_connection_release(c);
  else if (before + size == FH_POOL)
    refuse(c, 431);
  else if (c->ended)
    refuse(c, 400);
}

/* --- the body ------------------------------------------------------------ */

static void read_on(fh_connection *c) {
  static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
  hold(c);
  if (c->legacy.chunks.state == FH_CHUNKS_SIZE &&
      c->legacy.chunks.digits == 0 && c->legacy.chunks.count == 0 &&
      MHD_lookup_connection_value(c->mhd, MHD_HEADER_KIND, "Expect"))
    send(c->fd, go_on, sizeof go_on - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* A body that is complete already goes the way of all others. */
void fh_legacy_body(fh_connection *c, size_t size) {
  const fh_head_limits *limits = &c->listener->options.limits;
  fh_chunks *chunks = &c->legacy.chunks;
  uint64_t count;
  size_t used;
  if (!count_new(c, &count))
    return;
  if (count > FH_POOL) {
    refuse(c, 400);
    return;
  }
  unsigned status = fh_chunks_read(chunks, limits, c->method + size,
                                   (size_t)count, &c->body, &used);
  if (status)
    refuse(c, status);
  else if (chunks->state == FH_CHUNKS_DONE)
    fh_buffer_clear(&c->body);
  else
    read_on(c);
}

static void read_body(fh_connection *c) {
  fh_chunks *chunks = &c->legacy.chunks;
  char bytes[PIECE];
  size_t used;
  ssize_t got = recv(c->fd, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
  if (got <= 0) {
    if (got == 0 || (errno != EAGAIN && errno != EINTR))
      refuse(c, 400);
    return;
  }
  unsigned status = fh_chunks_read(chunks, &c->listener->options.limits, bytes,
                                   (size_t)got, &c->body, &used);
  bool done = chunks->state == FH_CHUNKS_DONE;
  recv(c->fd, bytes, used - done, MSG_DONTWAIT);
  c->received = c->body.size;
  if (status)
    refuse(c, status);
  else if (done)
    fh_connection_complete(c);
}

/* What follows a refusal is read, so that the peer sees why. */
static void drain(fh_connection *c) {
  char bytes[PIECE];
  ssize_t got = recv(c->fd, bytes, sizeof bytes, MSG_DONTWAIT);
  c->received += got > 0 ? (size_t)got : 0;
  if (got == 0 || c->received > LINGER_BYTES)
    fh_connection_drop(c);
}

void fh_legacy_readable(fh_connection *c) {
  if (c->refused)
    drain(c);
  else if (c->phase == FH_HEADERS)
    look(c);
  else if (c->phase == FH_BODY)
    read_body(c);
}
