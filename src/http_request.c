#include "http_request.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "http_url.h"
#include "http_alloc.h"

/* --- checks ---------------------------------------------------------------
 */

bool fh_text_is(fh_text text, const char *name) {
  return text.size == strlen(name) && !strncasecmp(text.data, name, text.size);
}

/* Headers that frame the message or belong to the connection are ours. */
static bool is_reserved(fh_text name) {
  static const char *const names[] = {"content-length",
                                      "transfer-encoding",
                                      "connection",
                                      "keep-alive",
                                      "proxy-connection",
                                      "upgrade",
                                      "te",
                                      "trailer",
                                      "expect"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (fh_text_is(name, names[i]))
      return true;
  return false;
}

static const char *check_header(const fh_header *header, bool authorized) {
  fh_text name = header->name;
  if (!fh_is_token(name.data, name.size))
    return "a header's name must be a token (letters, digits, hyphens)";
  if (fh_has_control(header->value.data, header->value.size))
    return "a header's value must not hold control characters";
  if (is_reserved(name))
    return "a header that frames the message or belongs to the connection "
           "cannot be set";
  if (authorized && fh_text_is(name, "authorization"))
    return "an Authorization header is given twice";
  return NULL;
}

static const char *check_headers(const fh_request *request) {
  size_t bytes = 0;
  if (request->header_count > FH_MAX_HEADERS)
    return "more than 100 headers";
  for (size_t i = 0; i < request->header_count; i++) {
    const fh_header *header = &request->headers[i];
    const char *wrong = check_header(header, request->authorization);
    if (wrong)
      return wrong;
    bytes += header->name.size + header->value.size;
    if (bytes > FH_MAX_HEADER_BYTES)
      return "more than 65536 bytes of headers";
  }
  const fh_secret *secret = request->authorization;
  if (secret && fh_has_control(secret->data, secret->size))
    return "an Authorization value must not hold control characters";
  return NULL;
}

bool fh_request_is(const fh_request *request, const char *name) {
  return request->method.size == strlen(name) &&
         !memcmp(request->method.data, name, request->method.size);
}

static const char *check_method(const fh_request *request) {
  if (!fh_is_token(request->method.data, request->method.size) ||
      request->method.size > 32)
    return "the method must be a token, as in GET";
  if (fh_request_is(request, "CONNECT") || fh_request_is(request, "TRACE"))
    return "the methods CONNECT and TRACE are not supported";
  if (request->body.data && (fh_request_is(request, "HEAD")))
    return "a HEAD request has no body";
  return NULL;
}

const char *fh_request_check(const fh_request *request) {
  const char *wrong = check_method(request);
  if (!wrong)
    wrong = check_headers(request);
  return wrong ? wrong : fh_url_check(request->url.data, request->url.size);
}

/* --- what is sent ---------------------------------------------------------
 */

typedef struct writer {
  struct curl_slist *node; /* the next one */
  char *at;                /* where its line goes */
} writer;

static const char no_content_type[] = "Content-Type:";
static const char no_encoding[] = "Accept-Encoding: identity";
static const char no_expect[] = "Expect:";

enum { OWN_LINES = 4 };

static size_t lines_size(const fh_request *request) {
  size_t size = sizeof no_content_type + sizeof no_encoding + sizeof no_expect;
  for (size_t i = 0; i < request->header_count; i++)
    size += request->headers[i].name.size + request->headers[i].value.size +
            sizeof ": ";
  if (request->authorization)
    size += sizeof "Authorization: " + request->authorization->size;
  return size;
}

static fh_outgoing *allocate(const fh_request *request, writer *out) {
  size_t nodes = request->header_count + OWN_LINES;
  size_t fixed = sizeof(fh_outgoing) + nodes * sizeof(struct curl_slist) +
                 lines_size(request);
  if (request->body.size > SIZE_MAX - fixed)
    return NULL;
  fh_outgoing *outgoing = fh_wiped_malloc(fixed + request->body.size);
  if (!outgoing)
    return NULL;
  outgoing->text[0] = '\0';
  *out = (writer){outgoing->nodes, (char *)(outgoing->nodes + nodes)};
  return outgoing;
}

static void put(writer *w, const char *data, size_t size) {
  if (size > 0)
    memcpy(w->at, data, size);
  w->at += size;
}

static void begin_line(writer *w) {
  *w->node = (struct curl_slist){.data = w->at, .next = w->node + 1};
  w->node++;
}

static void put_line(writer *w, const char *line, size_t size) {
  begin_line(w);
  put(w, line, size + 1); /* the NUL as well */
}

/* To libcurl "Name:" means without this header, and "Name;" an empty one. */
static void put_header(writer *w, fh_text name, fh_text value) {
  begin_line(w);
  put(w, name.data, name.size);
  value = fh_trimmed(value.data, value.size);
  if (value.size == 0) {
    put(w, ";", 2);
    return;
  }
  put(w, ": ", 2);
  put(w, value.data, value.size);
  put(w, "", 1);
}

bool fh_request_has_header(const fh_request *request, const char *name) {
  for (size_t i = 0; i < request->header_count; i++)
    if (fh_text_is(request->headers[i].name, name))
      return true;
  return false;
}

bool fh_request_is_posted(const fh_request *request) {
  return request->body.data || fh_request_is(request, "POST");
}

/* Against headers that libcurl would add to what it posts. */
static void put_post_lines(writer *w, const fh_request *request) {
  if (!fh_request_has_header(request, "content-type"))
    put_line(w, no_content_type, sizeof no_content_type - 1);
  put_line(w, no_expect, sizeof no_expect - 1);
}

fh_outgoing *fh_outgoing_new(const fh_request *request) {
  writer w;
  fh_outgoing *outgoing = allocate(request, &w);
  if (!outgoing)
    return NULL;
  for (size_t i = 0; i < request->header_count; i++)
    put_header(&w, request->headers[i].name, request->headers[i].value);
  if (request->authorization)
    put_header(
        &w, (fh_text){"Authorization", 13},
        (fh_text){request->authorization->data, request->authorization->size});
  if (!fh_request_has_header(request, "accept-encoding"))
    put_line(&w, no_encoding, sizeof no_encoding - 1);
  if (fh_request_is_posted(request))
    put_post_lines(&w, request);
  w.node[-1].next = NULL; /* one there is: about the encoding */
  outgoing->body = w.at;
  put(&w, request->body.data, request->body.size);
  return outgoing;
}

void fh_outgoing_free(fh_outgoing *outgoing) {
  fh_wiped_free(outgoing);
}
