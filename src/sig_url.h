/* The strings that a sender may have signed for one configured URL. Twilio
 * signs the URL as it was registered, but its products disagree on userinfo
 * and on the port, and some write `'` as %27. Each form is cut out of the
 * configured bytes; nothing is parsed and written again, which is how
 * percent-encoding gets lost.
 *
 * A form is the URL up to its query. The query is the request's own and begins
 * with the configured one, if there is any. The fragment is never signed. */
#ifndef FH_SIG_URL_H
#define FH_SIG_URL_H

#include "util_slice.h"

enum { FH_URL_FORMS = 8 };

typedef struct fh_url_form {
  fh_slice text;   /* scheme to path */
  bool apostrophe; /* `'` is written %27 in it */
} fh_url_form;

typedef struct fh_signed_url {
  char *memory;   /* owned; everything below points into it */
  fh_slice query; /* the configured one; NULL where the URL has none */
  fh_url_form forms[FH_URL_FORMS]; /* the first is the documented one */
  size_t count;
} fh_signed_url;

/* What is wrong with `url` as a configured URL, or NULL. */
const char *fh_signed_url_check(fh_slice url);

/* Copies the URL, which must have passed the check, and cuts its forms. False
 * when out of memory. */
bool fh_signed_url_open(fh_signed_url *signed_url, fh_slice url);
void fh_signed_url_close(fh_signed_url *signed_url);

/* Writes the documented form with its query and returns the size, at most that
 * of the URL that was opened. */
size_t fh_signed_url_write(const fh_signed_url *signed_url, char *out);

/* Does a request's raw query (NULL where its target had no `?`) begin with the
 * configured one? `rest` is what follows: empty, or beginning with the `&`, or
 * all of the query where none is configured or it does not match. A %27 equals
 * a `'` here. */
bool fh_signed_url_match(const fh_signed_url *signed_url, fh_slice query,
                         fh_slice *rest);

/* Writes `bytes` with every `'` as %27 and returns the end; `out` has room for
 * three times their size. */
char *fh_write_apostrophes(char *out, fh_slice bytes);

#endif
