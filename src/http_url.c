#include "http_url.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *blame(unsigned char byte) {
  if (byte < 0x20 || byte == 0x7f)
    return "the URL holds a control character";
  if (byte == ' ')
    return "the URL holds a space: write %20";
  if (byte > 0x7f)
    return "the URL holds a character beyond ASCII: percent-encode the path "
           "and query, write the host in its xn-- form";
  return "the URL holds a backslash: write / or %5C";
}

static const char *check_bytes(const char *text, size_t size) {
  if (size == 0)
    return "the URL is empty";
  if (size > FH_URL_MAX)
    return "the URL is longer than 8191 bytes";
  for (size_t i = 0; i < size; i++)
    if (text[i] <= ' ' || text[i] >= 0x7f || text[i] == '\\')
      return blame((unsigned char)text[i]);
  return NULL;
}

typedef struct authority {
  const char *user; /* its end is the @; NULL: none */
  const char *host;
  size_t size; /* of host and port */
} authority;

static const char *end_of_authority(const char *text) {
  while (*text && *text != '/' && *text != '?' && *text != '#')
    text++;
  return text;
}

static const char *end_of_name(const char *text) {
  while ((*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') ||
         (*text >= '0' && *text <= '9') || *text == '-' || *text == '.' ||
         *text == '_')
    text++;
  return text;
}

/* libcurl forgives "https:/h" and "https:///h"; other parsers see another host
 * in them. */
static const char *find_authority(authority *out, const char *text) {
  const char *slash = end_of_authority(text);
  const char *colon = memchr(text, ':', (size_t)(slash - text));
  if (!colon || colon == text || strncmp(colon, "://", 3) != 0)
    return "the URL must begin with a scheme, as in https://";
  const char *start = colon + 3;
  size_t size = (size_t)(end_of_authority(start) - start);
  const char *at = memchr(start, '@', size);
  out->user = at ? start : NULL;
  out->host = at ? at + 1 : start;
  out->size = size - (size_t)(out->host - start);
  return out->size > 0 ? NULL : "the URL has no host";
}

static const char *check_port(const char *text, size_t size) {
  long port = 0;
  for (size_t i = 0; i < size && port <= 65535; i++) {
    if (text[i] < '0' || text[i] > '9')
      return "the URL's port must be a number";
    port = port * 10 + (text[i] - '0');
  }
  return port >= 1 && port <= 65535 ? NULL
                                    : "the URL's port must be from 1 to 65535";
}

static const char *check_host(const authority *part) {
  size_t size = *part->host == '['
                    ? strspn(part->host + 1, "0123456789abcdefABCDEF:.") + 1
                    : (size_t)(end_of_name(part->host) - part->host);
  if (*part->host == '[' && part->host[size] == ']')
    size++;
  else if (*part->host == '[')
    size = 0;
  if (size == 0 || (size < part->size && part->host[size] != ':'))
    return "the URL's host holds a character that hosts lack";
  if (size >= part->size)
    return NULL;
  return check_port(part->host + size + 1, part->size - size - 1);
}

static const char *check(authority *part, const char *text, size_t size) {
  const char *wrong = check_bytes(text, size);
  if (!wrong)
    wrong = find_authority(part, text);
  return wrong ? wrong : check_host(part);
}

const char *fh_url_check(const char *text, size_t size) {
  authority part;
  const char *wrong = check(&part, text, size);
  if (wrong)
    return wrong;
  if (strncasecmp(text, "https:", 6) != 0 &&
      strncasecmp(text, "http:", 5) != 0)
    return "the URL's scheme must be https or http";
  if (part.user)
    return "the URL holds credentials: send them in an Authorization header";
  return NULL;
}

static CURLUcode parse(CURLU **out, const char *text) {
  CURLU *url = curl_url();
  if (!url)
    return CURLUE_OUT_OF_MEMORY;
  CURLUcode code = curl_url_set(url, CURLUPART_URL, text,
                                CURLU_PATH_AS_IS | CURLU_NON_SUPPORT_SCHEME);
  if (code == CURLUE_OK)
    *out = url;
  else
    curl_url_cleanup(url);
  return code;
}

const char *fh_url_parse(CURLU **out, const char *text, size_t size) {
  authority part;
  const char *wrong = check(&part, text, size);
  if (wrong)
    return wrong;
  CURLUcode code = parse(out, text);
  if (code == CURLUE_OUT_OF_MEMORY)
    return "not enough memory";
  return code == CURLUE_OK ? NULL : "the URL cannot be parsed";
}

/* --- the next of a kind ---------------------------------------------------
 */

void fh_origin_free(fh_origin *origin) {
  curl_url_cleanup(origin->url);
  free(origin->text);
  *origin = (fh_origin){0};
}

static void remember(fh_origin *last, CURLU *url, const char *text) {
  const char *host = strstr(text, "//") + 2;
  fh_origin_free(last);
  last->size = (size_t)(end_of_authority(host) - text);
  last->text = strndup(text, last->size);
  last->url = curl_url_dup(url);
  static const CURLUPart parts[] = {CURLUPART_PATH, CURLUPART_QUERY,
                                    CURLUPART_FRAGMENT};
  for (size_t i = 0; last->url && i < sizeof parts / sizeof *parts; i++)
    curl_url_set(last->url, parts[i], NULL, 0);
  if (!last->text || !last->url)
    fh_origin_free(last);
}

/* The path of a URL that has the origin and only a path besides. Of escapes in
 * a part that is set alone libcurl would change the case. */
static const char *path_below(const fh_origin *last, const char *text) {
  if (!last->url || strncmp(text, last->text, last->size) != 0)
    return NULL;
  const char *path = text + last->size;
  bool alone = *path == '/' && !strchr(path, '%') && !strchr(path, '?') &&
               !strchr(path, '#');
  return alone ? path : NULL;
}

CURLUcode fh_url_open(CURLU **out, const char *text, fh_origin *last) {
  const char *path = path_below(last, text);
  if (!path) {
    CURLUcode code = parse(out, text);
    if (code == CURLUE_OK)
      remember(last, *out, text);
    return code;
  }
  CURLU *url = curl_url_dup(last->url);
  CURLUcode code =
      url ? curl_url_set(url, CURLUPART_PATH, path, 0) : CURLUE_OUT_OF_MEMORY;
  if (code == CURLUE_OK)
    *out = url;
  else
    curl_url_cleanup(url);
  return code;
}
