/* What a request asks for: checked before anything is sent, then copied into
 * one block that libcurl reads from and that is wiped when it is freed. */
#ifndef FH_HTTP_REQUEST_H
#define FH_HTTP_REQUEST_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

#include "http_response.h"
#include "util_secret.h"

typedef struct fh_header {
  fh_text name;
  fh_text value;
} fh_header;

/* What to send; everything is borrowed for the call that takes it. Strings end
 * with a NUL beyond their size. Durations are seconds, 0 for none. */
typedef struct fh_request {
  fh_text method;
  fh_text url;
  fh_text body; /* data NULL: none */
  const fh_header *headers;
  size_t header_count;
  const fh_secret *authorization; /* NULL: none */
  double timeout;         /* in all, waiting for a connection included */
  double connect_timeout; /* name look-up, TCP and TLS */
  double stall_timeout;   /* without a byte in either direction */
  size_t max_response;    /* bytes of the decoded body */
  const char *proxy;      /* NULL: none, whatever the environment says */
  const char *ca_file;    /* NULL: the system's; else nothing but it */
  bool public_only;       /* connects to no address of a network of one's own;
                           * a proxy may have one */
} fh_request;

enum {
  FH_MAX_HEADERS = 100,
  FH_MAX_HEADER_BYTES = 65536,
  FH_MESSAGE_SIZE = CURL_ERROR_SIZE + 64
};

/* NULL where it may be sent, else what is wrong with it: a static text that
 * shows none of it. */
const char *fh_request_check(const fh_request *request);

/* Is this its method? In capitals, as methods are. */
bool fh_request_is(const fh_request *request, const char *method);

/* Is it sent as a POST is, whatever its method? */
bool fh_request_is_posted(const fh_request *request);

/* Is a header of that name, in whatever case, among the call's? */
bool fh_request_has_header(const fh_request *request, const char *name);

/* Are they the same but for the case? `name` ends with a NUL. */
bool fh_text_is(fh_text text, const char *name);

/* The list that libcurl reads, the header lines that it points to, and the
 * body behind them, in one block. */
typedef struct fh_outgoing {
  char text[FH_MESSAGE_SIZE]; /* libcurl's account of an error */
  char *body;
  struct curl_slist nodes[];
} fh_outgoing;

/* For a call that was checked. Where it does not ask for an encoded answer,
 * the lines ask for a plain one. NULL when out of memory. */
fh_outgoing *fh_outgoing_new(const fh_request *request);
void fh_outgoing_free(fh_outgoing *outgoing); /* NULL is allowed */

#endif
