/* URLs. What a request may go to is checked against a grammar narrower than
 * any parser's, so that no two parsers can see different hosts in it; taking a
 * URL apart is left to libcurl's own parser. */
#ifndef FH_HTTP_URL_H
#define FH_HTTP_URL_H

#include <curl/curl.h>
#include <stddef.h>

/* The longest URL, in bytes. */
#define FH_URL_MAX 8191

/* http or https, "://", no userinfo, a host of plain characters or an IPv6
 * address in brackets, a port from 1 to 65535 or none, then printable ASCII.
 * NULL where `text` is that, else what is wrong with it. */
const char *fh_url_check(const char *text, size_t size);

/* Parses `text`, which a NUL follows: any scheme, userinfo allowed. Gives a
 * handle that the caller frees with curl_url_cleanup and returns NULL, or says
 * what is wrong. */
const char *fh_url_parse(CURLU **out, const char *text, size_t size);

/* The scheme, host and port of a URL. Most calls go where the one before went,
 * and then only their path is new. Zeroed it is none. */
typedef struct fh_origin {
  CURLU *url;
  char *text; /* "https://h.example:1" */
  size_t size;
} fh_origin;

/* Parses a text that fh_url_check let pass; `last` becomes its origin. */
CURLUcode fh_url_open(CURLU **out, const char *text, fh_origin *last);
void fh_origin_free(fh_origin *origin); /* idempotent */

#endif
