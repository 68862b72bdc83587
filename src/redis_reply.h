/* Checks what Redis sends before the parser sees it.
 *
 * The stream is a row of header lines and counted payloads. hiredis allocates
 * what a header announces (0.14 without a limit), and nests what is announced
 * (1.0 and newer without a limit). So each header is checked first: its type,
 * its number, the length of a payload, the depth, and the elements and bytes
 * of the whole reply. Types of RESP3, which newer parsers know, are refused:
 * no connection asks for them. */
#ifndef FH_REDIS_REPLY_H
#define FH_REDIS_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#define FH_RESP_MAX_ELEMENTS 200000    /* in one reply, nested ones included */
#define FH_RESP_MAX_DEPTH    7         /* arrays within each other */
#define FH_RESP_MAX_BULK     16777216  /* bytes of one string */
#define FH_RESP_MAX_REPLY    536870912 /* bytes of one reply */
#define FH_RESP_MAX_LINE     65536     /* bytes of a status or an error */

typedef struct fh_resp {
  char head[24]; /* the beginning of the line that is being read */
  size_t line;   /* its length so far */
  bool after_cr;
  size_t skip;     /* payload bytes still to come */
  size_t elements; /* announced in the reply that is being read */
  size_t bytes;    /* of that reply so far, announced payloads included */
  size_t depth;    /* arrays around the element that is being read */
  size_t left[FH_RESP_MAX_DEPTH]; /* elements to come of each, outermost first
                                   */
} fh_resp;

/* A zeroed fh_resp is ready for the first byte. Returns NULL if these bytes
 * may be parsed, or what is wrong with them: a constant. Borrows `data`. */
const char *fh_resp_check(fh_resp *resp, const char *data, size_t size);

#endif
