/* URLs by libcurl's own parser, so that what we check is what is sent, behind
 * checks that are stricter than it: printable ASCII only, "://" exactly, no
 * backslash, a host of plain characters. */
#ifndef FH_URL_H
#define FH_URL_H

#include <curl/curl.h>
#include <stddef.h>

/* The longest URL, in bytes. */
#define FH_URL_MAX 8191

/* Parses `text`, which a NUL must follow. Gives a handle that the caller frees
 * with curl_url_cleanup and returns NULL, or says what is wrong. Any scheme;
 * userinfo is allowed. */
const char *fh_url_parse(CURLU **out, const char *text, size_t size);

/* As above, for a URL that a request may go to: http or https, no userinfo. */
const char *fh_url_parse_http(CURLU **out, const char *text, size_t size);

#endif
