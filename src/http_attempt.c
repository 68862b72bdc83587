#include "http_attempt.h"

#include <openssl/ssl.h>
#include <string.h>

/* libcurl gives up after five retries. */
enum { MAX_SHARED_TRIES = 2 };

static long read_long(CURL *easy, CURLINFO what) {
  long value = 0;
  curl_easy_getinfo(easy, what, &value);
  return value;
}

static bool is_http2(CURL *easy) {
  struct curl_tlssessioninfo *info = NULL;
  const unsigned char *name = NULL;
  unsigned size = 0;
  curl_easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &info);
  if (info && info->backend == CURLSSLBACKEND_OPENSSL && info->internals)
    SSL_get0_alpn_selected(info->internals, &name, &size);
  return size == 2 && memcmp(name, "h2", 2) == 0;
}

bool fh_attempt_was_sent(const fh_attempt *attempt, CURL *easy) {
  return attempt->left ||
         (attempt->prepared &&
          read_long(easy, CURLINFO_REQUEST_SIZE) > attempt->before);
}

bool fh_attempt_broke(const fh_attempt *attempt, CURL *easy) {
  return read_long(easy, CURLINFO_OS_ERRNO) != attempt->errno_before;
}

/* Was the attempt before this one refused by the server? libcurl takes a
 * connection that others have joined for a kept one. */
static bool was_refused(const fh_attempt *attempt) {
  return attempt->prepared && attempt->is_new && attempt->visit.id &&
         !attempt->visit.joined;
}

/* May the request not go out on this kept connection? What can be read while
 * no stream is open may be a GOAWAY that libcurl has not read yet. A request
 * that libcurl sends again did not wait for a connection of its own. */
static bool is_unfit(const fh_attempt *attempt, const fh_socket *at,
                     CURL *easy) {
  if (attempt->tries > MAX_SHARED_TRIES)
    return true;
  if (!is_http2(easy))
    return fh_socket_has_ended(at->fd, false);
  bool shared = at->visits > 0;
  if (shared && !attempt->repeatable && attempt->retried)
    return true;
  return fh_socket_has_ended(at->fd, shared || attempt->repeatable);
}

void fh_attempt_begin(fh_attempt *attempt, fh_sockets *sockets) {
  attempt->sockets = sockets;
  attempt->waits = !attempt->repeatable;
  sockets->waiting += attempt->waits;
}

bool fh_attempt_ready(fh_attempt *attempt, CURL *easy, const fh_ends *ends) {
  fh_socket *at = fh_sockets_find(attempt->sockets, ends);
  long bytes = read_long(easy, CURLINFO_REQUEST_SIZE);
  long connects = read_long(easy, CURLINFO_NUM_CONNECTS);
  if (!attempt->prepared || was_refused(attempt))
    attempt->before = bytes;
  if (!attempt->repeatable && fh_attempt_was_sent(attempt, easy)) {
    attempt->retried = true;
    return false;
  }
  fh_attempt_end(attempt);
  attempt->retried = attempt->retried || attempt->tries > 0;
  attempt->tries++;
  attempt->is_new = connects > attempt->connects;
  attempt->connects = connects;
  attempt->stale = at && !attempt->is_new && !attempt->renewed &&
                   is_unfit(attempt, at, easy);
  if (at)
    fh_sockets_enter(at, attempt->stale ? NULL : &attempt->visit);
  attempt->errno_before = read_long(easy, CURLINFO_OS_ERRNO);
  attempt->prepared = attempt->prepared || !attempt->stale;
  return !attempt->stale;
}

void fh_attempt_lost(fh_attempt *attempt, CURLcode code) {
  bool died = code == CURLE_PARTIAL_FILE && !attempt->is_new;
  if (attempt->repeatable && attempt->prepared && !attempt->renewed &&
      (died || code == CURLE_HTTP2))
    attempt->stale = true;
}

bool fh_attempt_renew(fh_attempt *attempt, CURL *easy) {
  bool sent = fh_attempt_was_sent(attempt, easy);
  if (!attempt->stale || (sent && !attempt->repeatable))
    return false;
  curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
  attempt->renewed = true;
  attempt->left = sent;
  attempt->stale = attempt->prepared = false;
  attempt->tries = 0;
  attempt->connects = 0;
  fh_attempt_begin(attempt, attempt->sockets);
  return true;
}

void fh_attempt_end(fh_attempt *attempt) {
  if (attempt->waits)
    attempt->sockets->waiting--;
  attempt->waits = false;
  fh_sockets_leave(attempt->sockets, &attempt->visit);
}
