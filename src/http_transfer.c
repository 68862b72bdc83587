#include "http_transfer.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "http_address.h"
#include "http_certificate.h"
#include "util_poller.h"

/* --- while it runs --------------------------------------------------------
 */

/* Called when a connection is ready and nothing of the request is on it yet. A
 * kept one may have been made for a request that goes anywhere. */
static int on_ready(void *owner, char *remote, char *local, int remote_port,
                    int local_port) {
  fh_transfer *transfer = owner;
  const fh_ends ends = {remote, remote_port, local_port};
  (void)local;
  if (transfer->public_only && !fh_address_text_is_public(remote)) {
    transfer->saw_private_address = true;
    return CURL_PREREQFUNC_ABORT;
  }
  return fh_attempt_ready(&transfer->attempt, transfer->easy, &ends)
             ? CURL_PREREQFUNC_OK
             : CURL_PREREQFUNC_ABORT;
}

/* A name may stand for several addresses: the others are still tried. */
static curl_socket_t on_connect(void *owner, curlsocktype purpose,
                                struct curl_sockaddr *address) {
  fh_transfer *transfer = owner;
  (void)purpose;
  if (transfer->public_only && !fh_address_is_public(&address->addr)) {
    transfer->saw_private_address = true;
    return CURL_SOCKET_BAD;
  }
  return socket(address->family, address->socktype | SOCK_CLOEXEC,
                address->protocol);
}

/* libcurl's own low-speed limit averages over five seconds. */
static int on_progress(void *owner, curl_off_t down_total, curl_off_t down,
                       curl_off_t up_total, curl_off_t up) {
  fh_transfer *transfer = owner;
  (void)down_total, (void)up_total;
  curl_off_t moved = down + up + (curl_off_t)transfer->response.lines;
  double now = fh_clock();
  if (moved != transfer->moved || !transfer->attempt.prepared) {
    transfer->moved = moved;
    transfer->moved_at = now;
  }
  transfer->stalled = now - transfer->moved_at >= transfer->stall;
  return transfer->stalled;
}

void fh_transfer_release(fh_transfer *transfer) {
  curl_url_cleanup(transfer->url);
  transfer->url = NULL;
  fh_outgoing_free(transfer->outgoing);
  transfer->outgoing = NULL;
  transfer->message = NULL;
  fh_response_free(&transfer->response);
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
static CURLcode on_tls(CURL *easy, void *context, void *owner) {
  (void)easy, (void)owner;
  SSL_CTX_set_keylog_callback(context, NULL);
  fh_certificate_demand_name(context);
  return CURLE_OK;
}

/* What differs between versions of libcurl. The headers that this was built
 * with may be older than the library that is loaded, so what they may lack has
 * its number here. */
enum {
  TOO_LARGE = 100, /* CURLE_TOO_LARGE, of 8.6.0 */
  /* CURLOPT_QUICK_EXIT, of 7.87.0. Without it, giving up on a name look-up
   * waits for the resolver's thread, and everything else with it. */
  QUICK_EXIT = CURLOPTTYPE_LONG + 322
};
static bool needs_signals; /* else writing to a closed TLS connection kills */
static bool system_file;   /* knows the system's certificates by a file */
static bool header_bug;    /* keeps a header for the handle's next answer */
static CURLcode line_too_large; /* a header line is above a cap of its own */
static bool goaway_is_error;    /* takes a refused stream for a broken one */

/* From 7.83.0 to 8.1.0 libcurl frees an answer's headers but still takes the
 * last of them for the one that a handle's next answer continues, where that
 * begins with a blank. */
void fh_transfer_init(void) {
  const curl_version_info_data *version = curl_version_info(CURLVERSION_NOW);
  unsigned number = version->version_num;
  needs_signals = number < 0x075800;
  system_file = version->cainfo != NULL;
  goaway_is_error = number < 0x080100;
  header_bug = number >= 0x075300 && number <= 0x080100;
  line_too_large =
      number < 0x080600 ? CURLE_OUT_OF_MEMORY : (CURLcode)TOO_LARGE;
}

/* A file is used alone, without the folder that holds the same certificates:
 * only then does libcurl keep it parsed between connections. */
static CURLcode set_authorities(CURL *easy, const char *file) {
  if (file) {
    SET(CURLOPT_CAINFO, file);
    SET(CURLOPT_PROXY_CAINFO, file);
  }
  if (file || system_file) {
    SET(CURLOPT_CAPATH, NULL);
    SET(CURLOPT_PROXY_CAPATH, NULL);
  }
  return CURLE_OK;
}

/* By number: libcurl would search the names of all protocols for each of ours,
 * and that for each handle. */
static CURLcode set_protocols(CURL *easy) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  SET(CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#pragma GCC diagnostic pop
  return CURLE_OK;
}

static CURLcode set_rules(CURL *easy) {
  SET(CURLOPT_NOSIGNAL, needs_signals ? 0L : 1L);
  SET(CURLOPT_FOLLOWLOCATION, 0L);
  SET(CURLOPT_HTTP09_ALLOWED, 0L);
  SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
  SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  SET(CURLOPT_PATH_AS_IS, 1L);
  SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
  SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(easy, (CURLoption)QUICK_EXIT, 1L);
  SET(CURLOPT_PROXY, "");
  SET(CURLOPT_NOPROXY, "");
  /* Answers are small. The buffer is wiped after each of them, and four pages
   * cost more than the rest of the wiping together. */
  SET(CURLOPT_BUFFERSIZE, 4096L);
  SET(CURLOPT_SSL_VERIFYPEER, 1L);
  SET(CURLOPT_SSL_VERIFYHOST, 2L);
  SET(CURLOPT_PROXY_SSL_VERIFYPEER, 1L);
  SET(CURLOPT_PROXY_SSL_VERIFYHOST, 2L);
  SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_tls);
  return set_authorities(easy, NULL);
}

static CURLcode set_functions(CURL *easy) {
  SET(CURLOPT_WRITEFUNCTION, fh_response_on_body);
  SET(CURLOPT_HEADERFUNCTION, fh_response_on_header);
  SET(CURLOPT_PREREQFUNCTION, on_ready);
  SET(CURLOPT_OPENSOCKETFUNCTION, on_connect);
  return CURLE_OK;
}

CURL *fh_easy_open(void) {
  CURL *easy = curl_easy_init();
  if (easy &&
      (set_protocols(easy) != CURLE_OK || set_rules(easy) != CURLE_OK ||
       set_functions(easy) != CURLE_OK)) {
    curl_easy_cleanup(easy);
    easy = NULL;
  }
  return easy;
}

bool fh_easy_forget(CURL *easy) {
  if (header_bug)
    return false;
  curl_easy_setopt(easy, CURLOPT_PRIVATE, NULL);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, NULL);
  curl_easy_setopt(easy, CURLOPT_CURLU, NULL);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, NULL);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, NULL);
  curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 0L);
  return true;
}

/* --- what differs from request to request ---------------------------------
 */

static CURLcode set_method(CURL *easy, const fh_request *request, char *body) {
  bool posted = fh_request_is_posted(request);
  bool named_by_us = fh_request_is(request, posted ? "POST" : "GET");
  SET(CURLOPT_HTTPGET, 1L);
  if (posted) {
    SET(CURLOPT_POST, 1L);
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.size);
    SET(CURLOPT_POSTFIELDS, body);
  }
  if (fh_request_is(request, "HEAD"))
    SET(CURLOPT_NOBODY, 1L);
  SET(CURLOPT_CUSTOMREQUEST, named_by_us ? NULL : request->method.data);
  return CURLE_OK;
}

static long milliseconds(double seconds) {
  double ms = seconds * 1000;
  if (ms <= 0)
    return 0;
  return ms < 1 ? 1 : ms > 2e9 ? 2000000000L : (long)ms;
}

static CURLcode set_limits(CURL *easy, const fh_request *request) {
  size_t most = fh_request_is(request, "HEAD") ? 0 : request->max_response;
  SET(CURLOPT_TIMEOUT_MS, milliseconds(request->timeout));
  SET(CURLOPT_CONNECTTIMEOUT_MS, milliseconds(request->connect_timeout));
  SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)most);
  return CURLE_OK;
}

static CURLcode set_owner(CURL *easy, fh_transfer *transfer) {
  SET(CURLOPT_PRIVATE, transfer);
  SET(CURLOPT_ERRORBUFFER, transfer->outgoing->text);
  SET(CURLOPT_WRITEDATA, &transfer->response);
  SET(CURLOPT_HEADERDATA, &transfer->response);
  SET(CURLOPT_PREREQDATA, transfer);
  SET(CURLOPT_OPENSOCKETDATA, transfer);
  return CURLE_OK;
}

/* Of a URL that comes as text alone libcurl makes a handle and another text,
 * which takes it a fifth of all its work for a small call. With both at hand
 * it does neither. With HTTP/2 a burst of calls shares the first connection,
 * if it waits; those that must not take effect twice do not share one. */
static CURLcode set_target(CURL *easy, fh_transfer *transfer,
                           const fh_request *request) {
  bool tls = !strncasecmp(request->url.data, "https:", 6);
  SET(CURLOPT_URL, request->url.data);
  SET(CURLOPT_CURLU, transfer->url);
  SET(CURLOPT_HTTPHEADER, &transfer->outgoing->nodes[0]);
  SET(CURLOPT_PIPEWAIT, tls && transfer->attempt.repeatable ? 1L : 0L);
  return CURLE_OK;
}

/* The speed limit never bites: it makes libcurl look at an idle transfer every
 * second, and that tells us of its progress. */
static CURLcode watch_progress(CURL *easy, fh_transfer *transfer) {
  SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
  SET(CURLOPT_LOW_SPEED_TIME, 1000000L);
  SET(CURLOPT_NOPROGRESS, 0L);
  SET(CURLOPT_XFERINFOFUNCTION, on_progress);
  SET(CURLOPT_XFERINFODATA, transfer);
  return CURLE_OK;
}

static CURLcode set_special(CURL *easy, fh_transfer *transfer,
                            const fh_request *request) {
  CURLcode code = CURLE_OK;
  transfer->special = true;
  if (request->proxy)
    code = curl_easy_setopt(easy, CURLOPT_PROXY, request->proxy);
  if (code == CURLE_OK && request->ca_file)
    code = set_authorities(easy, request->ca_file);
  if (code == CURLE_OK && request->stall_timeout > 0)
    code = watch_progress(easy, transfer);
  return code;
}

static CURLcode open_url(CURLU **out, const char *text, fh_origin *last) {
  switch (fh_url_open(out, text, last)) {
  case CURLUE_OK:
    return CURLE_OK;
  case CURLUE_OUT_OF_MEMORY:
    return CURLE_OUT_OF_MEMORY;
  default:
    return CURLE_URL_MALFORMAT;
  }
}

static CURLcode configure(fh_transfer *transfer, CURL *easy,
                          const fh_request *request, fh_origin *last) {
  CURLcode code = open_url(&transfer->url, request->url.data, last);
  if (code == CURLE_OK)
    code = set_method(easy, request, transfer->outgoing->body);
  if (code == CURLE_OK)
    code = set_limits(easy, request);
  if (code == CURLE_OK)
    code = set_owner(easy, transfer);
  if (code == CURLE_OK)
    code = set_target(easy, transfer, request);
  if (code == CURLE_OK &&
      (request->proxy || request->ca_file || request->stall_timeout > 0))
    code = set_special(easy, transfer, request);
  return code;
}

static bool is_repeatable(const fh_request *request) {
  static const char *const names[] = {"GET", "HEAD", "OPTIONS", "PUT",
                                      "DELETE"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (fh_request_is(request, names[i]))
      return true;
  return false;
}

static bool refuse(fh_refusal *refusal, const char *kind,
                   const char *message) {
  *refusal = (fh_refusal){kind, message};
  return false;
}

static const char *refused_as(CURLcode code) {
  switch (code) {
  case CURLE_OUT_OF_MEMORY:
    return "connect";
  case CURLE_URL_MALFORMAT:
    return "argument";
  default:
    return "config";
  }
}

bool fh_transfer_prepare(fh_transfer *transfer, CURL *easy,
                         const fh_request *request, fh_origin *last,
                         fh_refusal *refusal) {
  const char *wrong = fh_request_check(request);
  if (wrong)
    return refuse(refusal, "argument", wrong);
  transfer->encodable = fh_request_has_header(request, "accept-encoding");
  transfer->outgoing = fh_outgoing_new(request);
  if (!transfer->outgoing)
    return refuse(refusal, "connect", "not enough memory");
  fh_response_init(&transfer->response, request->max_response);
  transfer->response.http1_only =
      strncasecmp(request->url.data, "http:", 5) == 0;
  transfer->attempt.repeatable = is_repeatable(request);
  transfer->public_only = request->public_only && !request->proxy;
  transfer->stall = request->stall_timeout;
  transfer->due = request->timeout > 0 ? fh_clock() + request->timeout : 0;
  transfer->easy = easy;
  CURLcode code = configure(transfer, easy, request, last);
  if (code == CURLE_OK)
    return true;
  transfer->easy = NULL;
  fh_transfer_release(transfer);
  return refuse(refusal, refused_as(code), curl_easy_strerror(code));
}

bool fh_transfer_renew(fh_transfer *transfer, CURLcode code) {
  if (transfer->response.place == FH_BEFORE_HEAD)
    fh_attempt_lost(&transfer->attempt, code);
  if (!fh_attempt_renew(&transfer->attempt, transfer->easy))
    return false;
  double seconds = transfer->due - fh_clock();
  if (transfer->due > 0)
    curl_easy_setopt(transfer->easy, CURLOPT_TIMEOUT_MS,
                     milliseconds(seconds > 0.001 ? seconds : 0.001));
  transfer->outgoing->text[0] = '\0';
  return true;
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
  case CURLE_UNRECOVERABLE_POLL:
    return "reset";
  default:
    return "protocol";
  }
}

/* A header line passed a cap of libcurl's own. */
static bool is_head_too_large(const fh_transfer *transfer, CURLcode code) {
  return code == line_too_large && transfer->attempt.prepared &&
         transfer->response.place != FH_AFTER_HEAD;
}

/* A chunk that libcurl cannot read has the code of a connection that broke,
 * but then no system call has failed. A trailer above its cap had that code
 * too, before it got its own. */
static bool is_bad_chunk(const fh_transfer *transfer, CURLcode code) {
  const fh_response *response = &transfer->response;
  if (!response->encoded || response->place != FH_AFTER_HEAD)
    return false;
  return code == (CURLcode)TOO_LARGE ||
         (code == CURLE_RECV_ERROR &&
          !fh_attempt_broke(&transfer->attempt, transfer->easy));
}

/* The connection died before the answer began, and libcurl may have failed to
 * make another. */
static bool is_lost(const fh_transfer *transfer, CURLcode code) {
  if (!transfer->sent || transfer->response.place != FH_BEFORE_HEAD)
    return false;
  switch (code) {
  case CURLE_HTTP2:
    return goaway_is_error;
  case CURLE_PARTIAL_FILE:
  case CURLE_COULDNT_RESOLVE_HOST:
  case CURLE_COULDNT_CONNECT:
  case CURLE_SSL_CONNECT_ERROR:
    return true;
  default:
    return false;
  }
}

/* Only private addresses were found for the name. */
static bool is_refused(const fh_transfer *transfer, CURLcode code) {
  return transfer->saw_private_address &&
         (code == CURLE_COULDNT_CONNECT || code == CURLE_ABORTED_BY_CALLBACK);
}

static const char *kind_for(const fh_transfer *transfer, CURLcode code) {
  const fh_response *response = &transfer->response;
  if (response->too_large)
    return "too_large";
  if (response->malformed)
    return "protocol";
  if (response->no_memory)
    return "reset";
  if (is_refused(transfer, code))
    return "config";
  if (transfer->stalled)
    return "timeout";
  if (is_head_too_large(transfer, code))
    return "too_large";
  if (is_bad_chunk(transfer, code))
    return "protocol";
  if (is_lost(transfer, code))
    return "reset";
  long tunnel = 0;
  curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_CONNECTCODE, &tunnel);
  if (tunnel != 0 && !transfer->attempt.prepared && code == CURLE_RECV_ERROR)
    return "connect";
  return kind_of(code);
}

static const char *message_for(const fh_transfer *transfer, CURLcode code) {
  const fh_response *response = &transfer->response;
  if (response->too_large || code == CURLE_FILESIZE_EXCEEDED ||
      is_head_too_large(transfer, code))
    return "the answer is larger than allowed";
  if (response->malformed)
    return response->malformed;
  if (response->no_memory)
    return "not enough memory for the answer";
  if (transfer->stalled)
    return "the connection stalled";
  if (is_refused(transfer, code))
    return "the host is at a private address, which this call may not go to "
           "(private_addresses = true would allow it)";
  if (is_bad_chunk(transfer, code))
    return "the answer has a chunk or trailer that cannot be read";
  if (is_lost(transfer, code) || code == CURLE_ABORTED_BY_CALLBACK)
    return "the connection was lost after the request had been sent";
  if (code == CURLE_PARTIAL_FILE)
    return "the answer ended early";
  if (code == CURLE_BAD_FUNCTION_ARGUMENT)
    return "the answer's head holds a line that is no header";
  if (code == CURLE_BAD_CONTENT_ENCODING && !*transfer->outgoing->text)
    return "the answer is encoded though no encoding was asked for";
  const char *text = transfer->outgoing->text;
  return *text ? text : curl_easy_strerror(code);
}

/* A certificate whose dates do not fit says as much about our clock. */
static void add_hint(char *text, const char *kind) {
  static const struct {
    const char *part, *hint;
  } hints[] = {
      {"expired", " (is this machine's clock right?)"},
      {"not yet valid", " (is this machine's clock right?)"},
      {"hostname mismatch",
       " (it needs a subjectAltName: its common name does not count)"},
  };
  if (strcmp(kind, "tls") != 0)
    return;
  for (size_t i = 0; i < sizeof hints / sizeof *hints; i++)
    if (strstr(text, hints[i].part)) {
      size_t size = strnlen(text, CURL_ERROR_SIZE);
      snprintf(text + size, FH_MESSAGE_SIZE - size, "%s", hints[i].hint);
      return;
    }
}

/* An encoding that nobody asked for: we do not decode, so the caller would
 * take the encoded bytes for the content. */
static bool is_encoded(const fh_transfer *transfer) {
  size_t at = 0;
  fh_text name, value;
  while (fh_response_header(&transfer->response, &at, &name, &value))
    if (fh_text_is(name, "content-encoding") && !fh_text_is(value, "identity"))
      return true;
  return false;
}

void fh_transfer_finish(fh_transfer *transfer, CURLcode code) {
  transfer->ended = true;
  /* A head that ends with the connection is good enough for libcurl. */
  if (code == CURLE_OK && transfer->response.place != FH_AFTER_HEAD)
    code = CURLE_PARTIAL_FILE;
  if (code == CURLE_OK && !transfer->encodable && is_encoded(transfer))
    code = CURLE_BAD_CONTENT_ENCODING;
  if (code == CURLE_OK) {
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE,
                      &transfer->status);
  } else {
    transfer->sent = fh_attempt_was_sent(&transfer->attempt, transfer->easy);
    transfer->kind = kind_for(transfer, code);
    add_hint(transfer->outgoing->text, transfer->kind);
    transfer->message = message_for(transfer, code);
  }
  fh_attempt_end(&transfer->attempt);
  transfer->easy = NULL;
}

void fh_transfer_abort(fh_transfer *transfer, const char *kind,
                       const char *message) {
  transfer->ended = true;
  transfer->sent = transfer->easy &&
                   fh_attempt_was_sent(&transfer->attempt, transfer->easy);
  transfer->kind = kind;
  transfer->message = message;
  fh_attempt_end(&transfer->attempt);
  transfer->easy = NULL;
}
