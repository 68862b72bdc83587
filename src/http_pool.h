/* HTTP for many requests at once: a pool is one libcurl multi handle whose
 * sockets and timer live in a poller, so that waiting for the poller moves
 * every request on. Connections are kept and shared within a pool, never
 * between pools: a pool belongs to one set of credentials.
 *
 * No callback does more than append to capped buffers. A request that ended is
 * handed out by fh_pool_next after the wait. Pool, request and poller may be
 * closed in any order; each unlinks itself from the others.
 *
 * In another process than the one that opened it a pool is only let go of:
 * touching its connections there would disturb the parent's. */
#ifndef FH_HTTP_POOL_H
#define FH_HTTP_POOL_H

#include "util_poller.h"
#include "http_transfer.h"
#include "http_sockets.h"

enum { FH_SPARE_HANDLES = 32 };

struct fh_pool {
  CURLM *multi;
  CURLSH *share;
  fh_timer timer; /* its poller is ours; NULL once that was closed */
  pid_t pid;
  fh_transfer *running;
  fh_transfer *ended; /* in the order they ended */
  fh_transfer **ended_tail;
  bool unwatchable; /* a running request lost its socket's watch */
  fh_origin last;   /* of the request that was started last */
  fh_sockets sockets;
  long streams; /* that may share a connection */
  CURL *spare[FH_SPARE_HANDLES];
  size_t spares;
};

/* Prepares libcurl; safe to call from many threads and many times. */
bool fh_http_init(void);

/* Borrows the poller. At most `max_connections` connections at once, 0 for no
 * limit; further requests wait. False: out of memory. */
bool fh_pool_open(fh_pool *pool, fh_poller *poller, long max_connections);

/* Requests that run end with kind `closed`. Idempotent. */
void fh_pool_close(fh_pool *pool);

/* Starts a zeroed request, which the caller keeps in place until it ended. */
bool fh_pool_start(fh_pool *pool, fh_transfer *transfer,
                   const fh_request *request, fh_refusal *refusal);

/* The next request that ended, unlinked from the pool, or NULL. */
fh_transfer *fh_pool_next(fh_pool *pool);

/* Ends a running request with kind `cancelled`; fh_pool_next gives it out. */
void fh_transfer_cancel(fh_transfer *transfer);

/* Unlinks the request wherever it is and releases it. Idempotent. */
void fh_transfer_free(fh_transfer *transfer);

#endif
