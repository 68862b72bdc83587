/* One HTTP transfer: what is asked, checked before anything is sent; a capped
 * answer; and the verdict. A request is driven by its pool (http_pool.h).
 *
 * `sent` is the question that decides about repeating a POST: could any byte
 * of the request have left? Which connections it goes out on, and when again,
 * is decided by attempt.h. */
#ifndef FH_HTTP_TRANSFER_H
#define FH_HTTP_TRANSFER_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

#include "http_response.h"
#include "http_attempt.h"
#include "http_request.h"
#include "http_url.h"

/* Why a request was refused before anything happened. Both are static. */
typedef struct fh_refusal {
  const char *kind; /* of flexhooks.error */
  const char *message;
} fh_refusal;

typedef struct fh_pool fh_pool;

typedef struct fh_transfer {
  fh_pool *pool; /* NULL once pool and request have parted */
  struct fh_transfer *next;
  struct fh_transfer **link;
  CURL *easy;            /* borrowed while it runs, else NULL */
  CURLU *url;            /* where to; libcurl reads it while it runs */
  fh_outgoing *outgoing; /* what is sent, and the text of a failure */
  fh_response response;
  fh_attempt attempt;
  int slot;     /* the binding's reference to its userdata */
  bool special; /* its handle serves no other: it has a proxy, … of its own */
  bool encodable;           /* the caller asked for an encoded answer */
  bool public_only;         /* connects to public addresses alone */
  bool saw_private_address; /* and was about to connect to another */
  double due;               /* when its time is over; 0: never */
  double stall;    /* seconds without a byte that are too many; 0: none */
  double moved_at; /* when the last byte moved */
  curl_off_t moved;
  bool stalled;
  bool unwatched; /* its socket cannot be waited for */
  bool ended;
  long status;         /* of the answer; 0 where there is none */
  const char *kind;    /* of the failure; NULL where there is an answer */
  const char *message; /* of the failure */
  bool sent;           /* it failed, and bytes of it may have left */
} fh_transfer;

/* Once, after curl_global_init and before all else. */
void fh_transfer_init(void);

/* An easy handle that keeps our rules, for one request after the other. NULL
 * when out of memory. The caller cleans it up. */
CURL *fh_easy_open(void);

/* Makes it forget the request that it served. False: it cannot, and is to
 * serve no other. */
bool fh_easy_forget(CURL *easy);

/* Checks `call` and readies `easy` for a zeroed request; `last` is the origin
 * of the one before. False: `refusal` says why and nothing is held. */
bool fh_transfer_prepare(fh_transfer *transfer, CURL *easy,
                         const fh_request *request, fh_origin *last,
                         fh_refusal *refusal);

/* Readies a request that ended with `code` for another try over a new
 * connection, if it may have one. */
bool fh_transfer_renew(fh_transfer *transfer, CURLcode code);

/* Takes the verdict from the easy handle and lets go of it. */
void fh_transfer_finish(fh_transfer *transfer, CURLcode code);

/* Ends it without an answer; `kind` and `message` are static. In a process
 * that must not touch the easy handle, set that to NULL before. */
void fh_transfer_abort(fh_transfer *transfer, const char *kind,
                       const char *message);

/* Releases what the request holds, except its easy handle. Idempotent. */
void fh_transfer_release(fh_transfer *transfer);

#endif
