/* An HTTP/1.1 listener on libmicrohttpd, without threads and without a loop of
 * its own: whoever waits watches fh_listener_fd(), no longer than
 * fh_listener_timeout(), and calls fh_listener_run() after every wait.
 *
 * libmicrohttpd's callbacks only collect. A request becomes visible when its
 * body is complete; it is answered from the loop, at once or much later. The
 * sockets, the limits and all deadlines are ours, since libmicrohttpd knows
 * only idle time and none at all while a request waits for its answer.
 *
 * A request that breaks the protocol or a limit is answered here and its
 * connection closed; nobody above hears of it. */
#ifndef FH_SERVER_LISTENER_H
#define FH_SERVER_LISTENER_H

#include "server_head.h"
#include "util_slice.h"

typedef struct fh_listener fh_listener;

typedef struct fh_listener_options {
  const char *host; /* name or address to bind to */
  unsigned port;    /* 0: any */
  int fd;           /* >= 0: a bound listening socket, taken over; else -1 */
  size_t connections;
  size_t per_address; /* connections of one address; 0: as many as there are */
  fh_head_limits limits;
  double header_time;       /* seconds from the first byte to the empty line */
  double body_time;         /* seconds for the whole body */
  double body_rate;         /* bytes per second, after half of body_time */
  double idle_time;         /* seconds between requests */
  double answer_time;       /* seconds for the owner to answer; then 503 */
  const char *const *names; /* headers to keep; copied */
  size_t name_count;
  size_t repeatable; /* of the names, the last so many: see FH_REPEATED */
} fh_listener_options;

/* Two of one header that decides are refused with 400, unless its name is
 * repeatable: then this is handed on in place of its value. */
#define FH_REPEATED ","

/* A request that waits for its answer: a link into the connection, cut by
 * whichever ends first. Zeroed, it is a link to nothing. */
typedef struct fh_exchange {
  struct fh_connection *connection; /* NULL: over */
} fh_exchange;

typedef enum fh_reply_status {
  FH_REPLY_SENT,      /* on its way */
  FH_REPLY_GONE,      /* the peer, or the time, is gone */
  FH_REPLY_BAD,       /* a status or header that cannot be sent */
  FH_REPLY_NO_MEMORY, /* the connection will be closed */
} fh_reply_status;

/* The options' defaults. */
void fh_listener_defaults(fh_listener_options *options);

/* Binds and listens. NULL on failure, with a sentence in `message`. The
 * inherited descriptor is taken over in either case. */
fh_listener *fh_listener_new(const fh_listener_options *options, char *message,
                             size_t size);

/* Ends every connection and frees the listener. Links into it are cut. */
void fh_listener_free(fh_listener *listener);

/* Readable when fh_listener_run() has something to do. */
int fh_listener_fd(const fh_listener *listener);

/* Seconds until it must run in any case; negative: no such time. */
double fh_listener_timeout(fh_listener *listener);

/* Accepts, reads, writes and enforces deadlines: one round, or until nothing
 * moves any more, at most `rounds`. A request that is still unanswered two
 * runs after it was complete is set aside until it is. */
void fh_listener_run(fh_listener *listener, unsigned rounds);

/* Is there a complete request that nobody has taken? */
bool fh_listener_ready(const fh_listener *listener);

/* Links `request` to the next complete request; false where there is none. */
bool fh_listener_next(fh_listener *listener, fh_exchange *request);

/* The port that is bound, and the connections that are open. */
unsigned fh_listener_port(const fh_listener *listener);
size_t fh_listener_active(const fh_listener *listener);

/* Requests that were refused here with `status`. */
size_t fh_listener_refused(const fh_listener *listener, unsigned status);

/* No more connections and no second request on one: what waits in the
 * kernel's queue is taken in (unless the socket was inherited), idle
 * connections end within a second, answers say "connection: close". */
void fh_listener_quiesce(fh_listener *listener);

/* The parts of a linked request; valid until it is answered or the listener
 * runs. `target` is as received, without scheme and authority. */
fh_slice fh_exchange_method(const fh_exchange *request);
fh_slice fh_exchange_target(const fh_exchange *request);
fh_slice fh_exchange_body(const fh_exchange *request);
size_t fh_exchange_header_count(const fh_exchange *request);
fh_slice fh_exchange_header(const fh_exchange *request, size_t i);

/* The peer's address in text. False where the request is over. */
bool fh_exchange_peer(const fh_exchange *request, char *text, size_t size);

/* Answers and cuts the link, whatever the result. `headers` is `count` pairs
 * of name and value. Everything is copied. */
fh_reply_status fh_exchange_reply(fh_exchange *request, unsigned status,
                                  const char *const *headers, size_t count,
                                  const void *body, size_t size);

/* The same with 200, application/json and "{}", prepared beforehand. */
fh_reply_status fh_exchange_accept(fh_exchange *request);

/* Cuts the link; a request without an answer gets 500. Idempotent. */
void fh_exchange_release(fh_exchange *request);

#endif
