#include "url.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

static const char *check_bytes(const char *text, size_t size) {
  if (size == 0)
    return "the URL is empty";
  if (size > FH_URL_MAX)
    return "the URL is longer than 8191 bytes";
  for (size_t i = 0; i < size; i++) {
    unsigned char byte = (unsigned char)text[i];
    if (byte < 0x20 || byte == 0x7f)
      return "the URL holds a control character";
    if (byte == ' ')
      return "the URL holds a space: write %20";
    if (byte > 0x7f)
      return "the URL holds a character beyond ASCII: percent-encode the "
             "path and query, write the host in its xn-- form";
    if (byte == '\\')
      return "the URL holds a backslash: write / or %5C";
  }
  return NULL;
}

/* libcurl forgives "https:/h" and "https:///h"; other parsers see another host
 * in them, so nobody gets to write them here. */
static const char *check_authority(const char *text) {
  const char *start = strstr(text, "://");
  if (!start || start == text)
    return "the URL must begin with a scheme, as in https://";
  const char *authority = start + 3;
  size_t size = strcspn(authority, "/?#");
  if (size == 0)
    return "the URL has no host";
  const char *user = memchr(authority, '@', size);
  if (user)
    size -= (size_t)(user + 1 - authority), authority = user + 1;
  if (memchr(authority, '%', size))
    return "the URL's host must not be percent-encoded";
  return NULL;
}

static const char *check_host(CURLU *url) {
  static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
  char *host = NULL;
  if (curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK)
    return "the URL has no host";
  bool good = *host == '[' || (*host && host[strspn(host, plain)] == '\0');
  curl_free(host);
  return good ? NULL : "the URL's host holds a character that hosts lack";
}

const char *fh_url_parse(CURLU **out, const char *text, size_t size) {
  const char *wrong = check_bytes(text, size);
  if (!wrong)
    wrong = check_authority(text);
  if (wrong)
    return wrong;
  CURLU *url = curl_url();
  if (!url)
    return "not enough memory";
  if (curl_url_set(url, CURLUPART_URL, text,
                   CURLU_PATH_AS_IS | CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
    wrong = "the URL cannot be parsed";
  if (!wrong)
    wrong = check_host(url);
  if (wrong)
    curl_url_cleanup(url);
  else
    *out = url;
  return wrong;
}

static const char *check_http(CURLU *url, const char *text) {
  char *scheme = NULL;
  if (curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK)
    return "not enough memory";
  bool known = !strcasecmp(scheme, "https") || !strcasecmp(scheme, "http");
  curl_free(scheme);
  if (!known)
    return "the URL's scheme must be https or http";
  const char *authority = strstr(text, "://") + 3;
  if (memchr(authority, '@', strcspn(authority, "/?#")))
    return "the URL holds credentials: send them in an Authorization header";
  return NULL;
}

const char *fh_url_parse_http(CURLU **out, const char *text, size_t size) {
  CURLU *url;
  const char *wrong = fh_url_parse(&url, text, size);
  if (wrong)
    return wrong;
  wrong = check_http(url, text);
  if (wrong)
    curl_url_cleanup(url);
  else
    *out = url;
  return wrong;
}
