/* An HTTP answer as libcurl delivers it, within caps: the headers of the last
 * head and the body. A cap that is passed ends the transfer. */
#ifndef FH_ANSWER_H
#define FH_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "buffer.h"

enum { FH_MAX_ANSWER_LINES = 400, FH_MAX_ANSWER_HEAD = 65536 };

typedef struct fh_text {
  const char *data;
  size_t size;
} fh_text;

typedef struct fh_answer {
  fh_buffer head; /* "name:value\n", names in lower case */
  fh_buffer body;
  size_t lines; /* of every head so far, informational ones included */
  enum { FH_BEFORE_HEAD, FH_IN_HEAD, FH_AFTER_HEAD } place;
  size_t length; /* where the body's length is in `head`, plus one */
  bool encoded;  /* the head has a Transfer-Encoding */
  bool too_large, malformed, no_memory;
} fh_answer;

/* Keeps at most `max_body` bytes of body; allocates nothing yet. */
void fh_answer_init(fh_answer *answer, size_t max_body);
void fh_answer_free(fh_answer *answer); /* idempotent */

/* libcurl's CURLOPT_WRITEFUNCTION and CURLOPT_HEADERFUNCTION; the owner is an
 * fh_answer. */
size_t fh_answer_on_body(char *data, size_t one, size_t size, void *owner);
size_t fh_answer_on_header(char *line, size_t one, size_t size, void *owner);

/* Steps through the headers; `at` starts at 0. */
bool fh_answer_header(const fh_answer *answer, size_t *at, fh_text *name,
                      fh_text *value);

/* Is it a token, as methods and header names are? */
bool fh_is_token(const char *data, size_t size);

/* Without blanks and line ends at both ends. */
fh_text fh_trimmed(const char *data, size_t size);

#endif
