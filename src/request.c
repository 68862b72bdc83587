#include "request.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "url.h"

/* --- the answer, as it comes in -------------------------------------------
 */

static bool keep(fh_request *request, fh_buffer *buffer, const char *data,
                 size_t size) {
  switch (fh_buffer_append(buffer, data, size)) {
  case FH_BUFFER_OK:
    return true;
  case FH_BUFFER_FULL:
    request->too_large = true;
    break;
  case FH_BUFFER_NO_MEMORY:
    request->no_memory = true;
    break;
  }
  return false;
}

static size_t on_body(char *data, size_t one, size_t size, void *owner) {
  fh_request *request = owner;
  (void)one;
  return keep(request, &request->body, data, size) ? size : 0;
}

static fh_text trimmed(const char *data, size_t size) {
  while (size > 0 && strchr(" \t\r\n", data[size - 1]))
    size--;
  while (size > 0 && (*data == ' ' || *data == '\t'))
    data++, size--;
  return (fh_text){data, size};
}

static bool is_token(const char *data, size_t size) {
  static const char marks[] = "!#$%&'*+-.^_`|~";
  for (size_t i = 0; i < size; i++) {
    char c = data[i];
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                 (c >= '0' && c <= '9');
    if (!plain && (c == '\0' || !strchr(marks, c)))
      return false;
  }
  return size > 0;
}

static void lower(char *data, size_t size) {
  for (size_t i = 0; i < size; i++)
    if (data[i] >= 'A' && data[i] <= 'Z')
      data[i] = (char)(data[i] - 'A' + 'a');
}

/* A line that begins with a blank continues the one before it. */
static bool keep_continuation(fh_request *request, fh_text value) {
  fh_buffer *head = &request->head;
  if (head->size == 0)
    return true;
  head->data[head->size - 1] = ' ';
  return keep(request, head, value.data, value.size) &&
         keep(request, head, "\n", 1);
}

/* Lines that are no header (no colon, an impossible name) are left out. */
static bool keep_line(fh_request *request, const char *line, size_t size) {
  if (*line == ' ' || *line == '\t')
    return keep_continuation(request, trimmed(line, size));
  const char *colon = memchr(line, ':', size);
  size_t name = colon ? (size_t)(colon - line) : 0;
  if (!is_token(line, name))
    return true;
  fh_text value = trimmed(colon + 1, size - name - 1);
  size_t start = request->head.size;
  if (!keep(request, &request->head, line, name + 1) ||
      !keep(request, &request->head, value.data, value.size) ||
      !keep(request, &request->head, "\n", 1))
    return false;
  lower(request->head.data + start, name);
  return true;
}

/* An informational answer (1xx) comes before the real one with a head of its
 * own, which the next status line discards; trailers come after the body and
 * are not kept. */
static size_t on_header(char *line, size_t one, size_t size, void *owner) {
  fh_request *request = owner;
  (void)one;
  if (++request->head_lines > 4 * FH_MAX_HEADERS)
    request->too_large = true;
  if (size > 0 && memchr(line, '\0', size))
    request->malformed = true;
  if (request->too_large || request->malformed)
    return 0;
  if (request->place != FH_IN_HEAD) {
    if (size >= 5 && !memcmp(line, "HTTP/", 5)) {
      request->place = FH_IN_HEAD;
      fh_buffer_clear(&request->head);
    }
    return size;
  }
  if (trimmed(line, size).size == 0) {
    request->place = FH_AFTER_HEAD;
    return size;
  }
  return keep_line(request, line, size) ? size : 0;
}

/* --- what must not happen twice -------------------------------------------
 */

static long bytes_sent(CURL *easy) {
  long bytes = 0;
  curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &bytes);
  return bytes;
}

/* Called when a connection is ready and nothing of the request is on it yet. */
static int on_ready(void *owner, char *remote, char *local, int remote_port,
                    int local_port) {
  fh_request *request = owner;
  (void)remote, (void)local, (void)remote_port, (void)local_port;
  long bytes = bytes_sent(request->easy);
  if (request->prepared && !request->repeatable && bytes > request->before)
    return CURL_PREREQFUNC_ABORT;
  if (!request->prepared)
    request->before = bytes;
  request->prepared = true;
  return CURL_PREREQFUNC_OK;
}

static bool was_sent(const fh_request *request) {
  return request->prepared && bytes_sent(request->easy) > request->before;
}

/* --- checks ---------------------------------------------------------------
 */

static bool fail(fh_failure *failure, const char *kind, const char *message) {
  failure->kind = kind;
  failure->sent = false;
  snprintf(failure->message, sizeof failure->message, "%s", message);
  return false;
}

static bool named(const char *line, size_t size, const char *name) {
  return size == strlen(name) && !strncasecmp(line, name, size);
}

/* Headers that frame the message or belong to the connection are ours. */
static bool is_reserved(const char *line, size_t size) {
  static const char *const names[] = {
      "content-length", "transfer-encoding", "connection", "keep-alive",
      "proxy-connection", "upgrade", "te", "trailer", "expect"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (named(line, size, names[i]))
      return true;
  return false;
}

static const char *check_header(const fh_text *header, bool authorized) {
  const char *colon = memchr(header->data, ':', header->size);
  size_t name = colon ? (size_t)(colon - header->data) : 0;
  if (!is_token(header->data, name))
    return "a header's name must be a token (letters, digits, hyphens)";
  if (fh_has_control(header->data, header->size))
    return "a header's value must not hold control characters";
  if (is_reserved(header->data, name))
    return "a header that frames the message or belongs to the connection "
           "cannot be set";
  if (authorized && named(header->data, name, "authorization"))
    return "an Authorization header is given twice";
  return NULL;
}

static const char *check_headers(const fh_call *call) {
  size_t bytes = 0;
  if (call->header_count > FH_MAX_HEADERS)
    return "more than 100 headers";
  for (size_t i = 0; i < call->header_count; i++) {
    const char *wrong = check_header(&call->headers[i], call->authorization);
    if (wrong)
      return wrong;
    bytes += call->headers[i].size;
    if (bytes > FH_MAX_HEADER_BYTES)
      return "more than 65536 bytes of headers";
  }
  const fh_secret *secret = call->authorization;
  if (secret && fh_has_control(secret->data, secret->size))
    return "an Authorization value must not hold control characters";
  return NULL;
}

static bool is_method(const fh_call *call, const char *name) {
  return call->method.size == strlen(name) &&
         !memcmp(call->method.data, name, call->method.size);
}

static const char *check_method(const fh_call *call) {
  if (!is_token(call->method.data, call->method.size) ||
      call->method.size > 32)
    return "the method must be a token, as in GET";
  if (is_method(call, "CONNECT") || is_method(call, "TRACE"))
    return "the methods CONNECT and TRACE are not supported";
  if (call->body.data && (is_method(call, "HEAD")))
    return "a HEAD request has no body";
  return NULL;
}

/* --- header lines ---------------------------------------------------------
 */

static const char *const prefix_authorization = "Authorization: ";
static const char *const no_content_type = "Content-Type:";
static const char *const no_expect = "Expect:";

static size_t lines_size(const fh_call *call) {
  size_t size = strlen(no_content_type) + strlen(no_expect) + 2;
  for (size_t i = 0; i < call->header_count; i++)
    size += call->headers[i].size + 1;
  if (call->authorization)
    size += strlen(prefix_authorization) + call->authorization->size + 1;
  return size + call->body.size;
}

typedef struct writer {
  fh_request *request;
  char *at;
  size_t count;
} writer;

/* One line made of two parts becomes the next node of the list. */
static void put_line(writer *w, const char *data, size_t size,
                     const char *tail, size_t tail_size) {
  struct curl_slist *node = &w->request->nodes[w->count];
  *node = (struct curl_slist){.data = w->at};
  if (w->count > 0)
    node[-1].next = node;
  w->count++;
  memcpy(w->at, data, size);
  if (tail_size > 0)
    memcpy(w->at + size, tail, tail_size);
  w->at += size + tail_size;
  *w->at++ = '\0';
}

/* To libcurl "Name:" means without this header, and "Name;" an empty one. */
static bool put_header(writer *w, const fh_text *header) {
  const char *colon = memchr(header->data, ':', header->size);
  size_t name = (size_t)(colon - header->data);
  if (trimmed(colon + 1, header->size - name - 1).size == 0)
    put_line(w, header->data, name, ";", 1);
  else
    put_line(w, header->data, header->size, NULL, 0);
  return named(header->data, name, "content-type");
}

static bool put_lines(fh_request *request, const fh_call *call,
                      char **body_out) {
  size_t size = lines_size(call);
  request->lines.data = OPENSSL_zalloc(size + 1);
  if (!request->lines.data)
    return false;
  request->lines.size = size;
  writer w = {request, request->lines.data, 0};
  bool typed = false;
  for (size_t i = 0; i < call->header_count; i++)
    typed = put_header(&w, &call->headers[i]) || typed;
  if (call->authorization)
    put_line(&w, prefix_authorization, strlen(prefix_authorization),
             call->authorization->data, call->authorization->size);
  put_line(&w, no_expect, strlen(no_expect), NULL, 0);
  if (!typed)
    put_line(&w, no_content_type, strlen(no_content_type), NULL, 0);
  if (call->body.size > 0)
    memcpy(w.at, call->body.data, call->body.size);
  *body_out = w.at;
  return true;
}

/* --- the easy handle ------------------------------------------------------
 */

#define SET(option, value)                                                    \
  do {                                                                        \
    CURLcode set_code = curl_easy_setopt(easy, option, value);                \
    if (set_code != CURLE_OK)                                                 \
      return set_code;                                                        \
  } while (0)

/* libcurl would write the TLS keys to the file that SSLKEYLOGFILE names. */
static CURLcode no_key_log(CURL *easy, void *context, void *owner) {
  (void)easy, (void)owner;
  SSL_CTX_set_keylog_callback(context, NULL);
  return CURLE_OK;
}

static CURLcode set_rules(CURL *easy) {
  SET(CURLOPT_NOSIGNAL, 1L);
  SET(CURLOPT_PROTOCOLS_STR, "http,https");
  SET(CURLOPT_FOLLOWLOCATION, 0L);
  SET(CURLOPT_HTTP09_ALLOWED, 0L);
  SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
  SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  SET(CURLOPT_PATH_AS_IS, 1L);
  SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
  SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
  /* Without it, giving up on a name look-up waits for the resolver's thread,
   * and everything else with it. */
  SET(CURLOPT_QUICK_EXIT, 1L);
#endif
  return CURLE_OK;
}

/* The system's bundle is used alone, without the folder that holds the same
 * certificates: only then does libcurl keep it parsed between connections. */
static CURLcode set_tls(CURL *easy, const fh_call *call) {
  SET(CURLOPT_SSL_VERIFYPEER, 1L);
  SET(CURLOPT_SSL_VERIFYHOST, 2L);
  SET(CURLOPT_PROXY_SSL_VERIFYPEER, 1L);
  SET(CURLOPT_PROXY_SSL_VERIFYHOST, 2L);
  SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  if (call->ca_file) {
    SET(CURLOPT_CAINFO, call->ca_file);
    SET(CURLOPT_PROXY_CAINFO, call->ca_file);
  }
  if (call->ca_file || curl_version_info(CURLVERSION_NOW)->cainfo) {
    SET(CURLOPT_CAPATH, NULL);
    SET(CURLOPT_PROXY_CAPATH, NULL);
  }
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, no_key_log);
  return CURLE_OK;
}

static CURLcode set_method(CURL *easy, const fh_call *call, char *body) {
  if (is_method(call, "HEAD")) {
    SET(CURLOPT_NOBODY, 1L);
    return CURLE_OK;
  }
  if (call->body.data || is_method(call, "POST")) {
    SET(CURLOPT_POST, 1L);
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.size);
    SET(CURLOPT_POSTFIELDS, body);
  }
  if (!is_method(call, "GET") && !is_method(call, "POST"))
    SET(CURLOPT_CUSTOMREQUEST, call->method.data);
  else if (is_method(call, "GET") && call->body.data)
    SET(CURLOPT_CUSTOMREQUEST, "GET");
  return CURLE_OK;
}

static long milliseconds(double seconds) {
  double ms = seconds * 1000;
  if (ms <= 0)
    return 0;
  return ms < 1 ? 1 : ms > 2e9 ? 2000000000L : (long)ms;
}

static CURLcode set_limits(CURL *easy, const fh_call *call) {
  SET(CURLOPT_TIMEOUT_MS, milliseconds(call->timeout));
  SET(CURLOPT_CONNECTTIMEOUT_MS, milliseconds(call->connect_timeout));
  if (call->stall_timeout > 0) {
    long seconds = milliseconds(call->stall_timeout) / 1000;
    SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
    SET(CURLOPT_LOW_SPEED_TIME, seconds > 0 ? seconds : 1L);
  }
  if (!is_method(call, "HEAD"))
    SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)call->max_response);
  return CURLE_OK;
}

static CURLcode set_callbacks(CURL *easy, fh_request *request) {
  SET(CURLOPT_PRIVATE, request);
  SET(CURLOPT_ERRORBUFFER, request->text);
  SET(CURLOPT_WRITEFUNCTION, on_body);
  SET(CURLOPT_WRITEDATA, request);
  SET(CURLOPT_HEADERFUNCTION, on_header);
  SET(CURLOPT_HEADERDATA, request);
  SET(CURLOPT_PREREQFUNCTION, on_ready);
  SET(CURLOPT_PREREQDATA, request);
  return CURLE_OK;
}

static CURLcode set_target(CURL *easy, fh_request *request,
                           const fh_call *call) {
  SET(CURLOPT_CURLU, request->url);
  SET(CURLOPT_PROXY, call->proxy ? call->proxy : "");
  SET(CURLOPT_NOPROXY, "");
  SET(CURLOPT_HTTPHEADER, request->nodes);
  /* With HTTP/2 a burst of calls shares the first connection. */
  if (!strncasecmp(call->url.data, "https:", 6))
    SET(CURLOPT_PIPEWAIT, 1L);
  return CURLE_OK;
}

static CURLcode configure(fh_request *request, CURL *easy,
                          const fh_call *call, char *body) {
  CURLcode code = set_rules(easy);
  if (code == CURLE_OK)
    code = set_tls(easy, call);
  if (code == CURLE_OK)
    code = set_method(easy, call, body);
  if (code == CURLE_OK)
    code = set_limits(easy, call);
  if (code == CURLE_OK)
    code = set_callbacks(easy, request);
  if (code == CURLE_OK)
    code = set_target(easy, request, call);
  return code;
}

static bool is_repeatable(const fh_call *call) {
  static const char *const names[] = {"GET", "HEAD", "OPTIONS", "PUT",
                                      "DELETE"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (is_method(call, names[i]))
      return true;
  return false;
}

bool fh_request_prepare(fh_request *request, CURL *easy, const fh_call *call,
                        fh_failure *failure) {
  const char *wrong = check_method(call);
  if (!wrong)
    wrong = check_headers(call);
  if (!wrong)
    wrong = fh_url_parse_http(&request->url, call->url.data, call->url.size);
  if (wrong)
    return fail(failure, "argument", wrong);
  fh_buffer_init(&request->head, FH_MAX_HEADER_BYTES);
  fh_buffer_init(&request->body, call->max_response);
  request->repeatable = is_repeatable(call);
  request->easy = easy;
  char *body;
  CURLcode code = CURLE_OUT_OF_MEMORY;
  if (put_lines(request, call, &body))
    code = configure(request, easy, call, body);
  if (code == CURLE_OK)
    return true;
  fh_request_release(request);
  return fail(failure, code == CURLE_OUT_OF_MEMORY ? "connect" : "config",
              curl_easy_strerror(code));
}

/* --- the verdict ----------------------------------------------------------
 */

static const char *kind_of(CURLcode code) {
  switch (code) {
  case CURLE_COULDNT_RESOLVE_HOST:
  case CURLE_COULDNT_RESOLVE_PROXY:
    return "dns";
  case CURLE_COULDNT_CONNECT:
  case CURLE_INTERFACE_FAILED:
  case CURLE_PROXY:
    return "connect";
  case CURLE_OPERATION_TIMEDOUT:
    return "timeout";
  case CURLE_SSL_CONNECT_ERROR:
  case CURLE_SSL_CIPHER:
  case CURLE_PEER_FAILED_VERIFICATION:
  case CURLE_SSL_SHUTDOWN_FAILED:
  case CURLE_SSL_ISSUER_ERROR:
  case CURLE_SSL_INVALIDCERTSTATUS:
    return "tls";
  case CURLE_SSL_CACERT_BADFILE:
  case CURLE_SSL_ENGINE_NOTFOUND:
  case CURLE_SSL_ENGINE_SETFAILED:
  case CURLE_SSL_CERTPROBLEM:
    return "config";
  case CURLE_FILESIZE_EXCEEDED:
    return "too_large";
  case CURLE_URL_MALFORMAT:
    return "argument";
  case CURLE_GOT_NOTHING:
  case CURLE_SEND_ERROR:
  case CURLE_RECV_ERROR:
  case CURLE_SEND_FAIL_REWIND:
  case CURLE_ABORTED_BY_CALLBACK:
  case CURLE_OUT_OF_MEMORY:
    return "reset";
  default:
    return "protocol";
  }
}

static const char *explain(const fh_request *request, CURLcode code) {
  if (request->too_large || code == CURLE_FILESIZE_EXCEEDED)
    return "the answer is larger than allowed";
  if (request->malformed)
    return "the answer's head holds a NUL";
  if (request->no_memory)
    return "not enough memory for the answer";
  if (code == CURLE_ABORTED_BY_CALLBACK)
    return "the connection was lost after the request had been sent";
  if (code == CURLE_PARTIAL_FILE)
    return "the answer ended early";
  return *request->text ? request->text : curl_easy_strerror(code);
}

/* A certificate whose dates do not fit says as much about our clock. */
static const char *hint(const char *message) {
  return strstr(message, "expired") || strstr(message, "not yet valid")
             ? " (is this machine's clock right?)"
             : "";
}

static void classify(fh_request *request, CURLcode code) {
  fh_failure *failure = &request->failure;
  long tunnel = 0;
  curl_easy_getinfo(request->easy, CURLINFO_HTTP_CONNECTCODE, &tunnel);
  failure->sent = was_sent(request);
  failure->kind = kind_of(code);
  if (tunnel != 0 && !request->prepared && code == CURLE_RECV_ERROR)
    failure->kind = "connect";
  if (request->too_large)
    failure->kind = "too_large";
  else if (request->malformed)
    failure->kind = "protocol";
  else if (request->no_memory)
    failure->kind = "reset";
  const char *message = explain(request, code);
  snprintf(failure->message, sizeof failure->message, "%s%s", message,
           strcmp(failure->kind, "tls") == 0 ? hint(message) : "");
}

void fh_request_finish(fh_request *request, CURLcode code) {
  if (code == CURLE_OK)
    curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &request->status);
  else
    classify(request, code);
  request->ended = true;
  request->easy = NULL;
}

void fh_request_abort(fh_request *request, const char *kind,
                      const char *message) {
  bool sent = request->easy && was_sent(request);
  fail(&request->failure, kind, message);
  request->failure.sent = sent;
  request->ended = true;
  request->easy = NULL;
}

void fh_request_release(fh_request *request) {
  curl_url_cleanup(request->url);
  request->url = NULL;
  fh_secret_free(&request->lines);
  fh_buffer_free(&request->head);
  fh_buffer_free(&request->body);
}

bool fh_request_header(const fh_request *request, size_t *at, fh_text *name,
                       fh_text *value) {
  const fh_buffer *head = &request->head;
  if (*at >= head->size)
    return false;
  const char *line = head->data + *at;
  const char *end = memchr(line, '\n', head->size - *at);
  const char *colon = memchr(line, ':', (size_t)(end - line));
  *name = (fh_text){line, (size_t)(colon - line)};
  *value = (fh_text){colon + 1, (size_t)(end - colon - 1)};
  *at += (size_t)(end - line) + 1;
  return true;
}
