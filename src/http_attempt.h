/* How often and over which connections a request is sent. libcurl itself sends
 * it again when a kept connection dies before the first byte of an answer, and
 * when an HTTP/2 server refused its stream. It does not say which of the two
 * it was, and only the second is harmless for a request that must not take
 * effect twice. So:
 *
 * - A kept connection that has ended, or may have, is not used.
 * - A request that must not take effect twice does not go out on an HTTP/2
 *   connection beside others: a server that ends a connection after so many
 *   requests refuses those that came later.
 * - It is sent again only if it had a new connection for itself: over such a
 *   one libcurl sends again nothing but what the server refused.
 * - One that may be repeated, and was refused or lost twice, gets a new
 *   connection, because libcurl gives up after five shared ones.
 *
 * libcurl 8 does not forget that a stream was refused when it sends the
 * request again, so a handle that did so serves no other request.
 *
 * An attempt that must not go out has sent nothing: it is stale, and its
 * request is sent over a new connection. */
#ifndef FH_HTTP_ATTEMPT_H
#define FH_HTTP_ATTEMPT_H

#include <curl/curl.h>
#include <stdbool.h>

#include "http_sockets.h"

typedef struct fh_attempt {
  fh_sockets *sockets; /* borrowed: its pool's */
  fh_visit visit;      /* to the socket that it goes out on */
  bool repeatable;     /* may take effect twice: GET, PUT, DELETE, … */
  bool waits;          /* for a connection of its own */
  bool prepared;       /* a connection was ready for it at least once */
  bool is_new;         /* that connection was made for it */
  bool stale;          /* it must not go out on that connection */
  bool renewed;        /* its connections are new from now on */
  bool left;           /* bytes had left by then */
  bool retried;        /* libcurl sent it again: its handle remembers that */
  unsigned tries;      /* connections that were ready for it */
  long connects;       /* and new ones among them */
  long before;         /* bytes sent that are not the request's */
  long errno_before;   /* of the system call that failed last by then */
} fh_attempt;

/* Before libcurl chooses a connection. It may choose one that is shared,
 * unless its limit of streams forbids that while any attempt waits. */
void fh_attempt_begin(fh_attempt *attempt, fh_sockets *sockets);

/* Called when a connection between these ends is ready and nothing is on it
 * yet. False: the request must not go out. */
bool fh_attempt_ready(fh_attempt *attempt, CURL *easy, const fh_ends *ends);

/* Could any byte of the request have left, to a server that may process it? */
bool fh_attempt_was_sent(const fh_attempt *attempt, CURL *easy);

/* Has a system call failed since the connection was ready? */
bool fh_attempt_broke(const fh_attempt *attempt, CURL *easy);

/* Should a request that came to nothing be sent again, though libcurl did not?
 * 7.88 takes a kept HTTP/2 connection that dies for one that ended well, and
 * one that the server ends with a GOAWAY for an error. */
void fh_attempt_lost(fh_attempt *attempt, CURLcode code);

/* Readies a stale attempt for a new connection. False for any other. */
bool fh_attempt_renew(fh_attempt *attempt, CURL *easy);

/* Lets go of the socket, or of the wish for one. Idempotent. */
void fh_attempt_end(fh_attempt *attempt);

#endif
