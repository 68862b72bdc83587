/* A look at what Redis sends before the parser sees it.
 *
 * The stream is a row of header lines and counted payloads, whatever nests in
 * what. hiredis allocates what a header announces (0.14 without a limit), so
 * each header is checked first: its number, the length of a payload, and the
 * elements announced within one reply. Depth is the parser's to limit (7). */
#ifndef FH_RESP_H
#define FH_RESP_H

#include <stdbool.h>
#include <stddef.h>

#define FH_RESP_MAX_ELEMENTS 200000   /* in one reply, nested ones included */
#define FH_RESP_MAX_BULK     16777216 /* bytes of one string */
#define FH_RESP_MAX_LINE     65536    /* bytes of a status or an error */

typedef struct fh_resp {
  char head[24]; /* the beginning of the line that is being read */
  size_t line;   /* its length so far */
  bool after_cr;
  size_t skip;      /* payload bytes still to come */
  size_t elements;  /* announced in the reply that is being read */
  size_t remaining; /* of its elements, those still to come */
} fh_resp;

/* A zeroed fh_resp is ready for the first byte. Returns NULL where these bytes
 * may be parsed, or what is wrong with them: a constant. Borrows `data`. */
const char *fh_resp_check(fh_resp *resp, const char *data, size_t size);

#endif
