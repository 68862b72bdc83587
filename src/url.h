/* URLs. What a request may go to is checked against a grammar narrower than
 * any parser's, so that no two parsers can see different hosts in it; taking a
 * URL apart is left to libcurl's own parser. */
#ifndef FH_URL_H
#define FH_URL_H

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

/* The same for a text that was checked. */
CURLUcode fh_url_open(CURLU **out, const char *text);

#endif
