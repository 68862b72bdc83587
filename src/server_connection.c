#include "server_connection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum {
  LINGER_BYTES = 1 << 20, /* read and dropped after a refusal */
  KEPT_BODY = 4096, /* memory that a connection keeps for its next request */
};

static const struct {
  unsigned status;
  const char *reason;
} refusals[FH_REFUSALS] = {
    {400, "Bad Request"},
    {408, "Request Timeout"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {431, "Request Header Fields Too Large"},
    {501, "Not Implemented"},
    {505, "HTTP Version Not Supported"},
};

/* --- phases and deadlines ------------------------------------------------ */

static void leave_line(fh_connection *c) {
  fh_phase_list *l = &c->listener->lines[c->phase];
  *(c->before ? &c->before->after : &l->first) = c->after;
  *(c->after ? &c->after->before : &l->last) = c->before;
  c->before = c->after = NULL;
}

static void join_line(fh_connection *c, fh_phase next) {
  fh_phase_list *l = &c->listener->lines[next];
  c->phase = next;
  c->deadline = c->listener->now + l->duration;
  c->before = l->last;
  *(l->last ? &l->last->after : &l->first) = c;
  l->last = c;
}

static void enter(fh_connection *c, fh_phase next) {
  leave_line(c);
  join_line(c, next);
}

/* --- whose the socket is ------------------------------------------------- */

enum { USUAL_EVENTS = EPOLLRDHUP | EPOLLET };

static void watch(fh_connection *c, int operation, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = c};
  epoll_ctl(c->listener->epoll, operation, c->fd, &event);
}

void fh_connection_hold(fh_connection *c, uint32_t events) {
  if (!c->suspended)
    MHD_suspend_connection(c->mhd);
  c->suspended = c->held = true;
  watch(c, EPOLL_CTL_MOD, events);
}

void fh_connection_release(fh_connection *c) {
  if (c->held)
    watch(c, EPOLL_CTL_MOD, USUAL_EVENTS);
  if (c->suspended)
    MHD_resume_connection(c->mhd);
  c->suspended = c->held = false;
  c->listener->resumed = true;
}

char *fh_connection_scratch(fh_connection *c) {
  if (!c->listener->scratch)
    c->listener->scratch = malloc(FH_POOL);
  return c->listener->scratch;
}

void fh_connection_drop(fh_connection *c) {
  c->dropped = true;
  shutdown(c->fd, SHUT_RDWR);
  if (c->held)
    fh_connection_release(c);
}

/* --- refusals ------------------------------------------------------------ */

/* Returns FH_REFUSALS for a status that nothing is refused with. */
static size_t refusal_of(unsigned status) {
  size_t i = 0;
  while (i < FH_REFUSALS && refusals[i].status != status)
    i++;
  return i;
}

static void count_refusal(fh_connection *c, unsigned status) {
  size_t i = refusal_of(status);
  c->refused = true;
  c->listener->refused[i < FH_REFUSALS ? i : 0]++;
}

size_t fh_listener_refused(const fh_listener *l, unsigned status) {
  size_t i = refusal_of(status);
  return i < FH_REFUSALS ? l->refused[i] : 0;
}

/* Returns whether the peer's side of the connection is open. */
static bool peer_is_there(const fh_connection *c) {
  char byte;
  ssize_t got = recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

/* Counts a request that libmicrohttpd answered by itself, or whose connection
 * it closed without an answer. */
static void count_own_refusal(fh_connection *c,
                              enum MHD_RequestTerminationCode code) {
  if (c->refused || c->dropped || c->status != 0 || c->listener->closing)
    return;
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_HTTP_STATUS);
  if (info)
    count_refusal(c, info->http_status);
  else if (code == MHD_REQUEST_TERMINATED_WITH_ERROR && peer_is_there(c))
    count_refusal(c, 400);
}

/* The same for a request line that libmicrohttpd could not read: the end of
 * the connection is all that is reported then. */
static void count_lost_line(fh_connection *c) {
  bool between = c->phase == FH_HEADERS || c->phase == FH_IDLE;
  if (between && !c->refused && !c->dropped && !c->closes &&
      !c->listener->closing && peer_is_there(c))
    count_refusal(c, 400);
}

/* Writes the refusal ourselves: libmicrohttpd takes an answer neither in the
 * middle of a body nor before the head's end, and closes with bytes unread,
 * which resets the connection before the peer has seen why. At this point it
 * has nothing of its own to send, so the stream is at an answer's start. */
void fh_connection_refuse(fh_connection *c, unsigned status) {
  char text[160];
  int size = snprintf(text, sizeof text,
                      "HTTP/1.1 %u %s\r\ncontent-length: 0\r\n"
                      "connection: close\r\n\r\n",
                      status, refusals[refusal_of(status)].reason);
  count_refusal(c, status);
  if (send(c->fd, text, (size_t)size, MSG_NOSIGNAL | MSG_DONTWAIT) != size)
    fh_connection_drop(c);
  else
    shutdown(c->fd, SHUT_WR);
  if (c->held)
    watch(c, EPOLL_CTL_MOD, EPOLLIN);
  fh_buffer_free(&c->body);
  enter(c, FH_LINGERING);
}

static void body_expired(fh_connection *c) {
  const fh_listener_options *options = &c->listener->options;
  double elapsed = c->listener->now - c->began;
  bool slow = elapsed >= options->body_time / 2 &&
              (double)c->received < elapsed * options->body_rate;
  if (slow || elapsed >= options->body_time)
    fh_connection_refuse(c, 408);
  else
    enter(c, FH_BODY);
}

void fh_connection_expired(fh_connection *c) {
  switch (c->phase) {
  case FH_HEADERS:
    if (c->listener->quiet) /* where nothing came, nothing is answered */
      break;
    fh_connection_refuse(c, 408);
    return;
  case FH_BODY:
    body_expired(c);
    return;
  case FH_WAITING:
    fh_connection_reply(c, 503, NULL);
    return;
  case FH_SENDING:
  case FH_IDLE:
  case FH_LINGERING:
  case FH_PHASES:
    break;
  }
  fh_connection_drop(c);
  enter(c, c->phase);
}

static void note_end(fh_connection *c) {
  if (c->ended)
    return;
  c->ended = true;
  c->next_ended = c->listener->ended;
  c->listener->ended = c;
}

void fh_connection_event(fh_connection *c, uint32_t events) {
  if (events & ~(uint32_t)EPOLLIN)
    note_end(c);
  if (c->held)
    fh_legacy_readable(c);
}

static void leave_ended(fh_connection *c) {
  fh_connection **at = &c->listener->ended;
  while (*at && *at != c)
    at = &(*at)->next_ended;
  if (*at)
    *at = c->next_ended;
  c->next_ended = NULL;
}

void fh_connection_close_ended(fh_connection *c) {
  char byte;
  bool partial = c->phase == FH_HEADERS || c->phase == FH_BODY;
  if ((!partial && c->phase != FH_IDLE) ||
      recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
    return;
  leave_ended(c);
  if (partial)
    fh_connection_refuse(c, 400);
  fh_connection_drop(c);
}

/* --- one request --------------------------------------------------------- */

static void cut_link(fh_connection *c) {
  if (c->link)
    c->link->connection = NULL;
  c->link = NULL;
}

static void leave_ready(fh_connection *c) {
  fh_listener *l = c->listener;
  fh_connection *before = NULL;
  for (fh_connection *at = l->ready_first; at; at = at->next_ready) {
    if (at == c) {
      *(before ? &before->next_ready : &l->ready_first) = c->next_ready;
      if (l->ready_last == c)
        l->ready_last = before;
      l->ready_count--;
      break;
    }
    before = at;
  }
  c->next_ready = NULL;
  c->ready = false;
}

static void push_ready(fh_connection *c) {
  fh_listener *l = c->listener;
  c->complete = c->ready = true;
  c->turn = l->turn;
  *(l->ready_last ? &l->ready_last->next_ready : &l->ready_first) = c;
  l->ready_last = c;
  l->ready_count++;
  enter(c, FH_WAITING);
}

void fh_connection_complete(fh_connection *c) {
  watch(c, EPOLL_CTL_MOD, USUAL_EVENTS);
  c->held = false;
  push_ready(c);
}

static bool is_shared(fh_listener *l, struct MHD_Response *response) {
  return response == l->accepted || response == l->accepted_last;
}

static void end_request(fh_connection *c) {
  if (c->ready)
    leave_ready(c);
  cut_link(c);
  if (c->response && !is_shared(c->listener, c->response))
    MHD_destroy_response(c->response);
  c->response = NULL;
  fh_buffer_clear(&c->target);
  if (c->body.capacity > KEPT_BODY)
    fh_buffer_free(&c->body);
  fh_buffer_clear(&c->body);
  memset(&c->head, 0, sizeof c->head);
  memset(&c->legacy, 0, sizeof c->legacy);
  memset(c->headers, 0, c->listener->options.name_count * sizeof *c->headers);
  c->received = c->pieces = 0;
  c->status = 0;
  c->begun = c->complete = c->suspended = c->held = false;
}

void fh_connection_reply(fh_connection *c, unsigned status,
                         struct MHD_Response *response) {
  c->response =
      response
          ? response
          : MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
  c->status = status;
  c->closes = c->head.last || c->listener->quiet;
  cut_link(c);
  enter(c, FH_SENDING);
  fh_connection_release(c);
}

static enum MHD_Result send_answer(fh_connection *c) {
  if (!c->response || c->listener->closing)
    return MHD_NO;
  return MHD_queue_response(c->mhd, c->status, c->response);
}

/* The request is complete. It stays with libmicrohttpd unsuspended for the
 * next run, since most are answered by then and a suspension costs four system
 * calls. */
static enum MHD_Result finish(fh_connection *c) {
  fh_listener *l = c->listener;
  if (!c->complete) {
    l->progress++;
    push_ready(c);
  } else if (c->status != 0 || l->closing) {
    l->progress++;
    return send_answer(c);
  } else if (l->turn - c->turn > 1 && !c->suspended) {
    MHD_suspend_connection(c->mhd);
    c->suspended = true;
  }
  return MHD_YES;
}

static enum MHD_Result collect(fh_connection *c, const char *data,
                               size_t *size) {
  const fh_head_limits *limits = &c->listener->options.limits;
  c->listener->progress++;
  c->received += *size;
  c->pieces++;
  if (c->head.chunked && fh_chunks_are_tiny(c->pieces, c->received))
    fh_connection_refuse(c, 400);
  else if (c->received > limits->body)
    fh_connection_refuse(c, 413);
  else if (fh_buffer_append(&c->body, data, *size) != FH_BUFFER_OK)
    return MHD_NO;
  *size = 0;
  return MHD_YES;
}

static enum MHD_Result on_header(void *cls, enum MHD_ValueKind kind,
                                 const char *name, size_t name_size,
                                 const char *value, size_t value_size) {
  fh_connection *c = cls;
  fh_listener *l = c->listener;
  (void)kind;
  value = value ? value : "";
  if (!l->legacy) /* else this is done */
    fh_head_field(&c->head, &l->options.limits, name, name_size, value,
                  value_size);
  for (size_t i = 0; i < l->options.name_count; i++) {
    if (l->names[i].size != name_size ||
        strncasecmp(l->names[i].data, name, name_size) != 0)
      continue;
    bool repeated = c->headers[i].data;
    if (repeated && i + l->options.repeatable < l->options.name_count)
      c->head.status = c->head.status ? c->head.status : 400;
    while (value_size > 0 && strchr(" \t", value[value_size - 1]))
      value_size--;
    c->headers[i] = repeated ? (fh_slice){FH_REPEATED, sizeof FH_REPEATED - 1}
                             : (fh_slice){value, value_size};
  }
  return c->head.status ? MHD_NO : MHD_YES;
}

/* Empty lines before the request line are bytes between the start of the
 * connection's memory, which is a page's, and the method. One is tolerated, if
 * it ends in CRLF. */
static bool is_as_checked(fh_connection *c, size_t size) {
  size_t blank = (uintptr_t)c->method % 4096;
  c->stream += blank + size;
  return (blank == 0 || blank == 2) && fh_legacy_head(c, size);
}

static unsigned check_head(fh_connection *c, const char *version) {
  fh_listener *l = c->listener;
  const fh_head_limits *limits = &l->options.limits;
  fh_slice target = {c->target.data, c->target.size};
  if (strlen(c->method) + target.size + strlen(version) + 2 > limits->line)
    return 414;
  unsigned wrong = fh_head_target(target.data, target.size);
  if (!fh_head_method(c->method))
    wrong = 400;
  if (wrong)
    return wrong;
  MHD_get_connection_values_n(c->mhd, MHD_HEADER_KIND, on_header, c);
  return fh_head_verdict(&c->head, limits, version[sizeof "HTTP/1." - 1]);
}

static size_t head_size(const fh_connection *c) {
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
  return info ? info->header_size : 0;
}

static enum MHD_Result begin(fh_connection *c, const char *method,
                             const char *version) {
  c->listener->progress++;
  c->begun = true;
  c->method = method;
  c->began = c->listener->now;
  enter(c, FH_BODY);
  unsigned status = check_head(c, version);
  size_t size = c->listener->legacy ? head_size(c) : 0;
  if (status == 0 && size > 0 && !is_as_checked(c, size))
    status = 400;
  if (status)
    fh_connection_refuse(c, status);
  else if (size > 0 && c->head.chunked)
    fh_legacy_body(c, size);
  return MHD_YES;
}

/* --- libmicrohttpd's callbacks ------------------------------------------- */

enum MHD_Result fh_on_request(void *cls, struct MHD_Connection *mhd,
                              const char *url, const char *method,
                              const char *version, const char *data,
                              size_t *size, void **context) {
  fh_connection *c = *context;
  (void)cls;
  (void)mhd;
  (void)url;
  if (!c || c->dropped || c->listener->closing)
    return MHD_NO;
  if (c->refused) {
    c->received += *size;
    bool over = *size == 0 || c->received > LINGER_BYTES;
    *size = 0;
    return over ? MHD_NO : MHD_YES;
  }
  if (!c->begun)
    return begin(c, method, version);
  return *size > 0 ? collect(c, data, size) : finish(c);
}

static fh_connection *connection_of(struct MHD_Connection *mhd) {
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  return info ? info->socket_context : NULL;
}

/* Called when the request line is there. The line lies in libmicrohttpd's own
 * memory and is still to be split at "&"; ending it behind the "?" spares that
 * work, and a record of its memory for each of a thousand parameters. */
void *fh_on_line(void *cls, const char *uri, struct MHD_Connection *mhd) {
  fh_connection *c = connection_of(mhd);
  (void)cls;
  if (!c || !uri || c->refused || c->dropped || c->listener->closing)
    return c;
  size_t size = strlen(uri);
  fh_buffer_clear(&c->target);
  if (fh_buffer_append(&c->target, uri, size) != FH_BUFFER_OK) {
    fh_connection_refuse(c, 414);
    return c;
  }
  enter(c, FH_HEADERS);
  if (c->listener->legacy)
    fh_legacy_line(c, uri, size);
  char *query = memchr((char *)(size_t)uri, '?', size);
  if (query)
    query[1] = '\0';
  return c;
}

size_t fh_on_escape(void *cls, struct MHD_Connection *mhd, char *text) {
  (void)cls;
  (void)mhd;
  return strlen(text);
}

void fh_on_completed(void *cls, struct MHD_Connection *mhd, void **context,
                     enum MHD_RequestTerminationCode code) {
  fh_connection *c = *context;
  (void)cls;
  (void)mhd;
  *context = NULL;
  if (!c)
    return;
  count_own_refusal(c, code);
  c->stream += c->received;
  end_request(c);
  c->listener->progress++;
  enter(c, c->refused ? FH_LINGERING : FH_IDLE);
}

/* Takes the connection on this socket from those that are arriving. */
static fh_connection *take_arriving(fh_listener *l,
                                    struct MHD_Connection *mhd) {
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
  fh_connection **at = &l->arriving;
  while (*at && (!info || (*at)->fd != info->connect_fd))
    at = &(*at)->next_arriving;
  fh_connection *c = *at;
  if (c)
    *at = c->next_arriving;
  return c;
}

static void connection_starts(fh_connection *c, struct MHD_Connection *mhd) {
  c->mhd = mhd;
  watch(c, EPOLL_CTL_ADD, USUAL_EVENTS);
  join_line(c, FH_HEADERS);
  c->listener->active++;
}

void fh_on_connection(void *cls, struct MHD_Connection *mhd, void **context,
                      enum MHD_ConnectionNotificationCode code) {
  fh_listener *l = cls;
  if (code == MHD_CONNECTION_NOTIFY_STARTED) {
    *context = take_arriving(l, mhd);
    if (*context)
      connection_starts(*context, mhd);
    return;
  }
  fh_connection *c = *context;
  if (!c)
    return;
  count_lost_line(c);
  end_request(c);
  leave_line(c);
  leave_ended(c);
  epoll_ctl(l->epoll, EPOLL_CTL_DEL, c->fd, NULL);
  fh_buffer_free(&c->target);
  fh_buffer_free(&c->body);
  free(c);
  l->active--;
  l->progress++;
}
