/* What a strict server asks of a request's head, as far as libmicrohttpd
 * leaves it unasked: 0.9.75 takes several Content-Length fields, a length
 * beside a Transfer-Encoding, bare line ends, NULs, folded lines and targets
 * with a fragment. Where two parsers may read a request differently, a second
 * one can hide in the first; so whatever is ambiguous is refused.
 *
 * Everything here is borrowed for the length of the call. Verdicts are HTTP
 * statuses; 0 means that nothing is wrong. */
#ifndef FH_SERVER_HEAD_H
#define FH_SERVER_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct fh_head_limits {
  size_t line;    /* the request line, bytes */
  size_t field;   /* one header's line, bytes */
  size_t headers; /* all headers, bytes */
  size_t count;   /* of headers */
  size_t body;    /* bytes */
} fh_head_limits;

/* What has been seen of one head; begins zeroed. */
typedef struct fh_head {
  size_t bytes;
  size_t count;
  unsigned hosts;
  unsigned lengths;
  unsigned codings;
  uint64_t length; /* of the body, where `lengths` is 1 */
  bool chunked;
  bool last;       /* nothing may follow on the connection */
  unsigned status; /* the first refusal, or 0 */
} fh_head;

/* May this character stand in a method or in a header's name? */
bool fh_head_token(char c);

/* Is the method a token? */
bool fh_head_method(const char *method);

/* The target as it stands in the request line. */
unsigned fh_head_target(const char *target, size_t size);

/* The part of a target that is routed: what follows the authority of an
 * absolute form, which is never trusted. Returns its offset; where the
 * absolute form has no path, `size`. */
size_t fh_head_path(const char *target, size_t size);

/* Takes account of one header. */
void fh_head_field(fh_head *head, const fh_head_limits *limits,
                   const char *name, size_t name_size, const char *value,
                   size_t value_size);

/* The verdict over the whole head. `minor` is that of the HTTP version. */
unsigned fh_head_verdict(fh_head *head, const fh_head_limits *limits,
                         char minor);

/* Takes account of the header lines as they arrived, from behind the request
 * line; each ends in CRLF. Returns the bytes up to and with the empty line; 0
 * if it is not there, or if `head->status` says what is wrong. */
size_t fh_head_lines(fh_head *head, const fh_head_limits *limits,
                     const char *raw, size_t size);

#endif
