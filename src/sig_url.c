#include "sig_url.h"

#include <stdlib.h>

/* The URL cut at its joints: scheme, userinfo, host, port, tail, query. */
typedef struct parts {
  fh_slice scheme;   /* "https://" */
  fh_slice userinfo; /* "user:pass@", or empty */
  fh_slice host;
  fh_slice port; /* ":8443", or empty */
  fh_slice path;
  fh_slice query; /* without its `?`; NULL where there is none */
  const char *default_port;
} parts;

static fh_slice until(fh_slice text, const char *stops) {
  size_t size = 0;
  while (size < text.size && !strchr(stops, text.data[size]))
    size++;
  return (fh_slice){text.data, size};
}

static fh_slice after(fh_slice text, size_t size) {
  return (fh_slice){text.data + size, text.size - size};
}

static bool begins(fh_slice text, const char *lower) {
  size_t size = strlen(lower);
  if (text.size < size)
    return false;
  for (size_t i = 0; i < size; i++) {
    char c = text.data[i];
    if ((c >= 'A' && c <= 'Z' ? c | 0x20 : c) != lower[i])
      return false;
  }
  return true;
}

static bool split_scheme(fh_slice *rest, parts *url) {
  bool secure = begins(*rest, "https://");
  if (!secure && !begins(*rest, "http://"))
    return false;
  url->default_port = secure ? ":443" : ":80";
  url->scheme = (fh_slice){rest->data, secure ? 8 : 7};
  *rest = after(*rest, url->scheme.size);
  return true;
}

/* An address in brackets holds colons that begin no port. */
static void split_authority(fh_slice authority, parts *url) {
  size_t at = authority.size;
  while (at > 0 && authority.data[at - 1] != '@')
    at--;
  url->userinfo = (fh_slice){authority.data, at};
  fh_slice host = after(authority, at);
  size_t size = 0;
  if (host.size > 0 && host.data[0] == '[')
    size = until(host, "]").size;
  while (size < host.size && host.data[size] != ':')
    size++;
  url->host = (fh_slice){host.data, size};
  url->port = after(host, size);
}

static bool is_port(fh_slice port) {
  long number = 0;
  for (size_t i = 1; i < port.size; i++) {
    char c = port.data[i];
    if (c < '0' || c > '9' || number > 65535)
      return false;
    number = number * 10 + (c - '0');
  }
  return number <= 65535;
}

static bool is_visible(fh_slice text) {
  for (size_t i = 0; i < text.size; i++) {
    unsigned char c = (unsigned char)text.data[i];
    if (c <= ' ' || c == 0x7f)
      return false;
  }
  return true;
}

static const char *split(fh_slice text, parts *url) {
  *url = (parts){.query = {NULL, 0}};
  if (!is_visible(text))
    return "must not hold spaces or control characters";
  fh_slice rest = until(text, "#");
  if (!split_scheme(&rest, url))
    return "must begin with https:// or http://";
  fh_slice authority = until(rest, "/?");
  split_authority(authority, url);
  if (url->host.size == 0)
    return "must name a host";
  if (!is_port(url->port))
    return "must have a port from 0 to 65535, or none";
  rest = after(rest, authority.size);
  url->path = until(rest, "?");
  if (url->path.size < rest.size)
    url->query = after(rest, url->path.size + 1);
  return NULL;
}

const char *fh_signed_url_check(fh_slice url) {
  parts ignored;
  return split(url, &ignored);
}

static char *write(char *out, fh_slice bytes) {
  if (bytes.size > 0)
    memcpy(out, bytes.data, bytes.size);
  return out + bytes.size;
}

char *fh_write_apostrophes(char *out, fh_slice bytes) {
  for (size_t i = 0; i < bytes.size; i++) {
    if (bytes.data[i] != '\'') {
      *out++ = bytes.data[i];
      continue;
    }
    memcpy(out, "%27", 3);
    out += 3;
  }
  return out;
}

static char *add_form(fh_signed_url *url, char *out, const parts *p,
                      fh_slice userinfo, fh_slice port) {
  fh_url_form *form = &url->forms[url->count++];
  char *begin = out;
  out = write(out, p->scheme);
  out = write(out, userinfo);
  out = write(out, p->host);
  out = write(out, port);
  out = write(out, p->path);
  form->text = (fh_slice){begin, (size_t)(out - begin)};
  form->apostrophe = false;
  return out;
}

static char *add_escaped(fh_signed_url *url, char *out, fh_slice plain) {
  if (!memchr(plain.data, '\'', plain.size))
    return out;
  fh_url_form *form = &url->forms[url->count++];
  char *begin = out;
  out = fh_write_apostrophes(out, plain);
  form->text = (fh_slice){begin, (size_t)(out - begin)};
  form->apostrophe = true;
  return out;
}

/* Userinfo or none, times the port as configured or the other way. */
static void cut_forms(fh_signed_url *url, char *out, const parts *p) {
  const fh_slice none = {"", 0};
  fh_slice other = p->port.size > 0
                       ? none
                       : (fh_slice){p->default_port, strlen(p->default_port)};
  out = add_form(url, out, p, none, p->port);
  out = add_form(url, out, p, none, other);
  if (p->userinfo.size > 0) {
    out = add_form(url, out, p, p->userinfo, p->port);
    out = add_form(url, out, p, p->userinfo, other);
  }
  size_t plain = url->count;
  for (size_t i = 0; i < plain; i++)
    out = add_escaped(url, out, url->forms[i].text);
}

bool fh_signed_url_open(fh_signed_url *url, fh_slice text) {
  /* The copy, four forms with at most ":443" added, and those escaped. */
  const size_t form = text.size + 4;
  *url = (fh_signed_url){.count = 0};
  if (text.size > (size_t)-1 / 32)
    return false;
  url->memory = malloc(text.size + 4 * form + 4 * 3 * form);
  if (!url->memory)
    return false;
  parts p;
  memcpy(url->memory, text.data, text.size);
  if (split((fh_slice){url->memory, text.size}, &p)) {
    fh_signed_url_close(url);
    return false;
  }
  url->query = p.query;
  cut_forms(url, url->memory + text.size, &p);
  return true;
}

void fh_signed_url_close(fh_signed_url *url) {
  free(url->memory);
  *url = (fh_signed_url){.count = 0};
}

size_t fh_signed_url_write(const fh_signed_url *url, char *out) {
  char *end = write(out, url->forms[0].text);
  if (url->query.data) {
    *end++ = '?';
    end = write(end, url->query);
  }
  return (size_t)(end - out);
}

/* The size of an apostrophe, plain or escaped, at the front of `text`, or 0.
 */
static size_t apostrophe(fh_slice text) {
  if (text.data[0] == '\'')
    return 1;
  return text.size >= 3 && memcmp(text.data, "%27", 3) == 0 ? 3 : 0;
}

static bool match(fh_slice wanted, fh_slice *rest) {
  while (wanted.size > 0 && rest->size > 0) {
    size_t w = apostrophe(wanted), r = apostrophe(*rest);
    if (!w != !r || (!w && wanted.data[0] != rest->data[0]))
      return false;
    wanted = after(wanted, w ? w : 1);
    *rest = after(*rest, r ? r : 1);
  }
  return wanted.size == 0 && (rest->size == 0 || rest->data[0] == '&');
}

bool fh_signed_url_match(const fh_signed_url *url, fh_slice query,
                         fh_slice *rest) {
  *rest = query;
  if (url->query.size == 0 || match(url->query, rest))
    return true;
  *rest = query;
  return false;
}
