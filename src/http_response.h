/* An HTTP answer as libcurl delivers it, within caps: the headers of the last
 * head and the body. A cap that is passed ends the transfer, and so does a
 * head that another recipient could read in another way: versions of libcurl
 * differ in the heads that they let pass. */
#ifndef FH_HTTP_RESPONSE_H
#define FH_HTTP_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>

#include "util_buffer.h"

/* Of one head the bytes that are kept; of all heads the lines and bytes. */
enum {
  FH_MAX_RESPONSE_HEAD = 65536,
  FH_MAX_RESPONSE_LINES = 400,
  FH_MAX_RESPONSE_HEADS = 4 * FH_MAX_RESPONSE_HEAD
};

typedef struct fh_text {
  const char *data;
  size_t size;
} fh_text;

typedef struct fh_response {
  fh_buffer head; /* "name:value\n", names in lower case */
  fh_buffer body;
  size_t lines; /* of every head so far, informational ones included */
  size_t bytes; /* of those lines */
  enum { FH_BEFORE_HEAD, FH_IN_HEAD, FH_AFTER_HEAD } place;
  int version;     /* of the head: 10, 11, 20 */
  int status;      /* of the head */
  bool http1_only; /* the connection cannot speak HTTP/2 */
  size_t line;     /* where the last header is in `head`, plus one */
  bool folded;     /* the last header has a continuation */
  size_t length;   /* where the body's length is in `head`, plus one */
  bool encoded;    /* the head has a Transfer-Encoding */
  bool too_large, no_memory;
  const char *malformed; /* what is wrong with the head; static */
} fh_response;

/* Keeps at most `max_body` bytes of body; allocates nothing yet. */
void fh_response_init(fh_response *response, size_t max_body);
void fh_response_free(fh_response *response); /* idempotent */

/* libcurl's CURLOPT_WRITEFUNCTION and CURLOPT_HEADERFUNCTION; the owner is an
 * fh_response. */
size_t fh_response_on_body(char *data, size_t one, size_t size, void *owner);
size_t fh_response_on_header(char *line, size_t one, size_t size, void *owner);

/* Steps through the headers; `at` starts at 0. */
bool fh_response_header(const fh_response *response, size_t *at, fh_text *name,
                        fh_text *value);

/* Is it a token, as methods and header names are? */
bool fh_is_token(const char *data, size_t size);

/* Without blanks and line ends at both ends. */
fh_text fh_trimmed(const char *data, size_t size);

#endif
