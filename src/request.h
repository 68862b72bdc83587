/* One HTTP transfer: what is asked, checked before anything is sent; a capped
 * answer; and the verdict. A request is driven by its pool (http.h).
 *
 * `sent` is the question that decides about repeating a POST: could any byte of
 * the request have left? libcurl itself repeats a request when a kept
 * connection dies before the first byte of an answer. That is refused for
 * requests that must not take effect twice, once something of them was sent. */
#ifndef FH_REQUEST_H
#define FH_REQUEST_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

#include "buffer.h"
#include "secret.h"

typedef struct fh_text {
  const char *data;
  size_t size;
} fh_text;

/* What to send; everything is borrowed for the call that takes it. Strings end
 * with a NUL beyond their size. Durations are seconds, 0 for none. */
typedef struct fh_call {
  fh_text method;
  fh_text url;
  fh_text body; /* data NULL: none */
  const fh_text *headers; /* "Name: value" */
  size_t header_count;
  const fh_secret *authorization; /* NULL: none */
  double timeout;                 /* in all, waiting for a connection included */
  double connect_timeout;         /* name look-up, TCP and TLS */
  double stall_timeout;           /* without a byte in either direction */
  size_t max_response;            /* bytes of the decoded body */
  const char *proxy;              /* NULL: none, whatever the environment says */
  const char *ca_file;            /* NULL: the system's; else nothing but it */
} fh_call;

enum { FH_MAX_HEADERS = 100, FH_MAX_HEADER_BYTES = 65536 };

enum { FH_MESSAGE_SIZE = CURL_ERROR_SIZE + 64 };

typedef struct fh_failure {
  const char *kind; /* of flexhooks.error; NULL where there is no failure */
  char message[FH_MESSAGE_SIZE];
  bool sent; /* bytes of the request may have left */
} fh_failure;

typedef struct fh_pool fh_pool;

typedef struct fh_request {
  fh_pool *pool; /* NULL once pool and request have parted */
  struct fh_request *next;
  struct fh_request **link;
  CURL *easy; /* while it runs */
  CURLU *url;
  fh_secret lines; /* every header line, and the body behind them */
  struct curl_slist nodes[FH_MAX_HEADERS + 4];
  fh_buffer head; /* "name:value\n", names in lower case */
  fh_buffer body;
  size_t head_lines;
  enum { FH_BEFORE_HEAD, FH_IN_HEAD, FH_AFTER_HEAD } place;
  bool too_large, malformed, no_memory;
  bool repeatable;    /* may take effect twice: GET, PUT, DELETE, … */
  bool prepared;      /* a connection was ready for it at least once */
  long before;        /* bytes of proxy talk sent by then */
  int slot;           /* the binding's reference to its userdata */
  bool ended;
  long status;
  char text[CURL_ERROR_SIZE]; /* libcurl's account of an error */
  fh_failure failure;
} fh_request;

/* Checks `call` and readies `easy` (fresh or reset), which the request borrows.
 * False: `failure` says why and nothing is held. */
bool fh_request_prepare(fh_request *request, CURL *easy, const fh_call *call,
                        fh_failure *failure);

/* Takes the verdict from the easy handle and lets go of it. */
void fh_request_finish(fh_request *request, CURLcode code);

/* Ends it without an answer. `kind` must be static. */
void fh_request_abort(fh_request *request, const char *kind,
                      const char *message);

/* Releases what the request holds, except its easy handle. Idempotent. */
void fh_request_release(fh_request *request);

/* Steps through the answer's headers; `at` starts at 0. */
bool fh_request_header(const fh_request *request, size_t *at, fh_text *name,
                       fh_text *value);

#endif
