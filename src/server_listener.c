#include "server_listener.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "server_socket.h"
#include "server_connection.h"

enum {
  ACCEPT_BATCH = 64, /* connections accepted in one run */
  EVENTS = 64,       /* read from the set in one run */
  READY_BATCH = 512, /* requests collected in one run */
};

#define ACCEPT_PAUSE 0.1 /* seconds, after running out of descriptors */
#define LAST_IDLE    1.0 /* seconds that idle connections keep when we stop */

static double monotonic(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void on_panic(void *cls, const char *file, unsigned where,
                     const char *reason) {
  (void)cls;
  fprintf(stderr, "flexhooks: libmicrohttpd gave up at %s:%u: %s\n", file,
          where, reason ? reason : "unknown");
  abort();
}

/* --- accepting ----------------------------------------------------------- */

static void watch_socket(fh_listener *l, bool on) {
  struct epoll_event event = {.events = on ? EPOLLIN : 0,
                              .data.ptr = &l->socket};
  epoll_ctl(l->epoll, EPOLL_CTL_MOD, l->socket, &event);
}

/* Ends the connection that is missed least: the one idle for longest, else the
 * one that has been sending its head for longest. Tells whether it is gone. */
static bool evict(fh_listener *l) {
  static const fh_phase order[] = {FH_LINGERING, FH_IDLE, FH_HEADERS};
  for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
    fh_connection *c = l->lines[order[i]].first;
    if (c) {
      size_t before = l->active;
      fh_connection_drop(c);
      MHD_run(l->daemon);
      return l->active < before;
    }
  }
  return false;
}

static void pause_accepting(fh_listener *l) {
  watch_socket(l, false);
  l->accept_again = l->now + ACCEPT_PAUSE;
}

/* Frees the connections that libmicrohttpd has closed without announcing
 * them: it was out of memory, or the address has too many. */
static void discard_arriving(fh_listener *l) {
  while (l->arriving) {
    fh_connection *c = l->arriving;
    l->arriving = c->next_arriving;
    free(c);
  }
}

/* Takes the socket over. Most versions of libmicrohttpd announce the
 * connection within the call; a version that is thread-safe does so in its
 * next run. */
static void add(fh_listener *l, int fd, const struct sockaddr *address,
                socklen_t length) {
  size_t size = l->options.name_count * sizeof(fh_slice);
  fh_connection *c = calloc(1, sizeof *c + size);
  if (!c) {
    close(fd);
    return;
  }
  c->listener = l;
  c->fd = fd;
  fh_buffer_init(&c->target, l->options.limits.line);
  fh_buffer_init(&c->body, l->options.limits.body);
  c->next_arriving = l->arriving;
  l->arriving = c;
  MHD_add_connection(l->daemon, fd, address, length);
  l->progress++;
}

static bool has_arrivals(const fh_listener *l) {
  struct pollfd wait = {.fd = l->socket, .events = POLLIN};
  return poll(&wait, 1, 0) > 0;
}

/* False when there is nothing more to accept for now. */
static bool accept_one(fh_listener *l) {
  struct sockaddr_storage address;
  socklen_t length = sizeof address;
  if (l->active >= l->options.connections) {
    if (!has_arrivals(l))
      return false;
    if (!evict(l)) {
      pause_accepting(l);
      return false;
    }
  }
  int fd = accept4(l->socket, (struct sockaddr *)&address, &length,
                   SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0) {
    add(l, fd, (struct sockaddr *)&address, length);
    return true;
  }
  if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
      errno == ENOMEM) {
    if (evict(l))
      return true;
    pause_accepting(l);
    return false;
  }
  return errno == EINTR || errno == ECONNABORTED;
}

static void accept_batch(fh_listener *l) {
  for (int i = 0; i < ACCEPT_BATCH && l->accept_again <= 0; i++)
    if (!accept_one(l))
      return;
}

/* Accepts who waits and notes who ended; tells whether anything happened. */
static bool read_events(fh_listener *l) {
  struct epoll_event events[EVENTS];
  bool waiting = false;
  int count = epoll_wait(l->epoll, events, EVENTS, 0);
  for (int i = 0; i < count; i++) {
    if (events[i].data.ptr == &l->socket)
      waiting = true;
    else if (events[i].data.ptr != &l->daemon)
      fh_connection_event(events[i].data.ptr, events[i].events);
  }
  if (waiting)
    accept_batch(l);
  return count > 0;
}

/* --- making -------------------------------------------------------------- */

void fh_listener_defaults(fh_listener_options *options) {
  *options = (fh_listener_options){
      .host = "127.0.0.1",
      .fd = -1,
      .connections = 1024,
      .limits = {.line = 8192,
                 .field = 8192,
                 .headers = 32768,
                 .count = 100,
                 .body = 262144},
      .header_time = 5,
      .body_time = 10,
      .body_rate = 1024,
      .idle_time = 30,
      .answer_time = 60,
  };
}

static bool open_socket(fh_listener *l, char *message, size_t size) {
  const fh_listener_options *o = &l->options;
  const char *why = NULL;
  l->inherited = o->fd >= 0;
  l->socket = l->inherited ? fh_bind_inherit(o->fd, &why)
                           : fh_bind(o->host, o->port, &why);
  if (l->socket >= 0 && fh_bind_port(l->socket, &l->port))
    return true;
  if (l->inherited)
    snprintf(message, size, "cannot listen on descriptor %d: %s", o->fd, why);
  else
    snprintf(message, size, "cannot listen on %s port %u: %s", o->host,
             o->port, why ? why : strerror(errno));
  return false;
}

/* Of libmicrohttpd 1.0, by number: the headers that we are compiled with may
 * be older than the library that is loaded, or newer. */
#define NO_THREAD_SAFETY        (1U << 19) /* MHD_USE_NO_THREAD_SAFETY */
#define CLIENT_DISCIPLINE_LEVEL 38 /* MHD_OPTION_CLIENT_DISCIPLINE_LVL */

/* The version of the library that is loaded. Its soname did not change with
 * 1.0. */
static bool is_version_1(void) {
  return strtol(MHD_get_version(), NULL, 10) >= 1;
}

/* Version 1.0 is thread-safe unless told otherwise, and takes nothing that is
 * ambiguous if told so. Earlier versions know neither. */
static struct MHD_Daemon *start_daemon(fh_listener *l) {
  const bool new = is_version_1();
  const unsigned flags = MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET |
                         MHD_ALLOW_SUSPEND_RESUME |
                         (new ? NO_THREAD_SAFETY : 0);
  struct MHD_OptionItem since_1[] = {
      {(enum MHD_OPTION)CLIENT_DISCIPLINE_LEVEL, 1, NULL},
      {MHD_OPTION_END, 0, NULL},
  };
  const fh_listener_options *o = &l->options;
  MHD_set_panic_func(on_panic, NULL);
  return MHD_start_daemon(
      flags, 0, NULL, NULL, fh_on_request, l, /* all else is an option */
      MHD_OPTION_ARRAY, new ? since_1 : since_1 + 1, /* */
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)FH_POOL,
      MHD_OPTION_CONNECTION_LIMIT, (unsigned)o->connections + ACCEPT_BATCH,
      MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)o->per_address,
      MHD_OPTION_CONNECTION_TIMEOUT, 0U,               /* */
      MHD_OPTION_URI_LOG_CALLBACK, fh_on_line, l,      /* */
      MHD_OPTION_UNESCAPE_CALLBACK, fh_on_escape, l,   /* */
      MHD_OPTION_NOTIFY_COMPLETED, fh_on_completed, l, /* */
      MHD_OPTION_NOTIFY_CONNECTION, fh_on_connection, l, MHD_OPTION_END);
}

static bool prepare_answers(fh_listener *l) {
  static char body[] = "{}";
  struct MHD_Response **both[] = {&l->accepted, &l->accepted_last};
  for (size_t i = 0; i < 2; i++) {
    struct MHD_Response *response = MHD_create_response_from_buffer(
        sizeof body - 1, body, MHD_RESPMEM_PERSISTENT);
    *both[i] = response;
    if (!response || MHD_add_response_header(response, "Content-Type",
                                             "application/json") != MHD_YES)
      return false;
  }
  return MHD_add_response_header(l->accepted_last, "Connection", "close") ==
         MHD_YES;
}

static bool watch(fh_listener *l, int fd, void *mark) {
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = mark};
  return epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool open_daemon(fh_listener *l) {
  l->daemon = start_daemon(l);
  if (!l->daemon || !prepare_answers(l))
    return false;
  const union MHD_DaemonInfo *info =
      MHD_get_daemon_info(l->daemon, MHD_DAEMON_INFO_EPOLL_FD);
  l->epoll = epoll_create1(EPOLL_CLOEXEC);
  return info && l->epoll >= 0 && watch(l, info->epoll_fd, &l->daemon) &&
         watch(l, l->socket, &l->socket);
}

static bool copy_names(fh_listener *l) {
  size_t count = l->options.name_count;
  l->names = calloc(count + 1, sizeof *l->names);
  for (size_t i = 0; l->names && i < count; i++) {
    const char *name = strdup(l->options.names[i]);
    if (!name)
      return false;
    l->names[i] = (fh_slice){name, strlen(name)};
  }
  return l->names != NULL;
}

static void set_durations(fh_listener *l) {
  const fh_listener_options *o = &l->options;
  l->lines[FH_HEADERS].duration = o->header_time;
  l->lines[FH_BODY].duration = o->body_time / 10;
  l->lines[FH_WAITING].duration = o->answer_time;
  l->lines[FH_SENDING].duration = o->idle_time;
  l->lines[FH_IDLE].duration = o->idle_time;
  l->lines[FH_LINGERING].duration = FH_LINGER_TIME;
}

fh_listener *fh_listener_new(const fh_listener_options *options, char *message,
                             size_t size) {
  fh_listener *l = calloc(1, sizeof *l);
  if (!l) {
    if (options->fd >= 0)
      close(options->fd);
    snprintf(message, size, "out of memory");
    return NULL;
  }
  l->options = *options;
  l->process = getpid();
  l->epoll = l->socket = -1;
  l->now = monotonic();
  l->legacy = fh_legacy_is_loaded();
  set_durations(l);
  bool opened = open_socket(l, message, size);
  if (opened && copy_names(l) && open_daemon(l))
    return l;
  if (opened)
    snprintf(message, size, "cannot start the listener: out of resources");
  fh_listener_free(l);
  return NULL;
}

/* --- running ------------------------------------------------------------- */

int fh_listener_fd(const fh_listener *l) {
  return l->epoll;
}

/* libmicrohttpd has something to do although no descriptor says so. */
static bool is_busy(fh_listener *l) {
  unsigned long long wait;
  return l->resumed || l->arriving ||
         (MHD_get_timeout(l->daemon, &wait) == MHD_YES && wait == 0);
}

double fh_listener_timeout(fh_listener *l) {
  if (l->ready_first || is_busy(l))
    return 0;
  double first = l->accept_again > 0 ? l->accept_again : -1;
  for (int i = 0; i < FH_PHASES; i++) {
    const fh_connection *c = l->lines[i].first;
    if (c && (first < 0 || c->deadline < first))
      first = c->deadline;
  }
  if (first < 0)
    return -1;
  double left = first - monotonic();
  return left > 0 ? left : 0;
}

static void expire(fh_listener *l) {
  for (int i = 0; i < FH_PHASES; i++)
    while (l->lines[i].first && l->lines[i].first->deadline <= l->now)
      fh_connection_expired(l->lines[i].first);
}

static void close_ended(fh_listener *l) {
  fh_connection *next;
  for (fh_connection *c = l->ended; c; c = next) {
    next = c->next_ended;
    fh_connection_close_ended(c);
  }
}

/* One round, and as many more as bring anything new. */
static void run_library(fh_listener *l, unsigned rounds) {
  size_t before;
  l->resumed = false;
  do {
    before = l->progress;
    MHD_run(l->daemon);
    discard_arriving(l);
  } while (l->progress != before && l->ready_count < READY_BATCH &&
           rounds-- > 1);
}

void fh_listener_run(fh_listener *l, unsigned rounds) {
  l->turn++;
  l->now = monotonic();
  if (l->accept_again > 0 && l->accept_again <= l->now && l->socket >= 0) {
    l->accept_again = 0;
    watch_socket(l, true);
  }
  if (read_events(l) || is_busy(l)) {
    run_library(l, rounds);
    close_ended(l);
  }
  expire(l);
}

bool fh_listener_ready(const fh_listener *l) {
  return l->ready_first != NULL;
}

bool fh_listener_next(fh_listener *l, fh_exchange *request) {
  fh_connection *c = l->ready_first;
  if (!c)
    return false;
  l->ready_first = c->next_ready;
  if (!l->ready_first)
    l->ready_last = NULL;
  l->ready_count--;
  c->next_ready = NULL;
  c->ready = false;
  c->link = request;
  request->connection = c;
  return true;
}

unsigned fh_listener_port(const fh_listener *l) {
  return l->port;
}

size_t fh_listener_active(const fh_listener *l) {
  return l->active;
}

/* --- ending -------------------------------------------------------------- */

static void shorten_deadlines(fh_listener *l, fh_phase phase) {
  double last = l->now + LAST_IDLE;
  for (fh_connection *c = l->lines[phase].first; c; c = c->after)
    if (c->deadline > last)
      c->deadline = last;
  if (l->lines[phase].duration > LAST_IDLE)
    l->lines[phase].duration = LAST_IDLE;
}

void fh_listener_quiesce(fh_listener *l) {
  if (l->quiet)
    return;
  l->now = monotonic();
  if (!l->inherited && l->accept_again <= 0)
    accept_batch(l);
  if (l->arriving)
    run_library(l, 1);
  l->quiet = true;
  l->accept_again = 0;
  epoll_ctl(l->epoll, EPOLL_CTL_DEL, l->socket, NULL);
  close(l->socket);
  l->socket = -1;
  shorten_deadlines(l, FH_IDLE);
  shorten_deadlines(l, FH_HEADERS);
  shorten_deadlines(l, FH_LINGERING);
}

/* libmicrohttpd must not be stopped over suspended connections. */
static void stop_daemon(fh_listener *l) {
  l->closing = true;
  for (int i = 0; i < FH_PHASES; i++)
    for (fh_connection *c = l->lines[i].first; c; c = c->after)
      if (c->suspended)
        MHD_resume_connection(c->mhd);
  MHD_run(l->daemon);
  MHD_stop_daemon(l->daemon);
  discard_arriving(l);
}

static void free_names(fh_listener *l) {
  for (size_t i = 0; l->names && l->names[i].data; i++)
    free((void *)(size_t)l->names[i].data);
  free(l->names);
}

/* In a forked child the sockets and the epoll sets are still the parent's:
 * closing them in order would shut the parent's connections down. */
void fh_listener_free(fh_listener *l) {
  if (l->process != getpid())
    return;
  if (l->daemon)
    stop_daemon(l);
  if (l->accepted)
    MHD_destroy_response(l->accepted);
  if (l->accepted_last)
    MHD_destroy_response(l->accepted_last);
  if (l->epoll >= 0)
    close(l->epoll);
  if (l->socket >= 0)
    close(l->socket);
  free_names(l);
  free(l->scratch);
  free(l);
}
