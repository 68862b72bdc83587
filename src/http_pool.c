#include "http_pool.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "http_alloc.h"

enum { SHARED_STREAMS = 100 };

static CURLcode initialised = CURLE_FAILED_INIT;

static void initialise(void) {
  fh_wiped_init();
  initialised =
      curl_global_init_mem(CURL_GLOBAL_DEFAULT, fh_wiped_malloc, fh_wiped_free,
                           fh_wiped_realloc, fh_wiped_strdup, fh_wiped_calloc);
  fh_request_init();
}

bool fh_http_init(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, initialise);
  return initialised == CURLE_OK;
}

/* --- the lists of running and ended requests ------------------------------
 */

static void unlink_request(fh_request *request) {
  if (!request->link)
    return;
  if (request->pool && request->pool->ended_tail == &request->next)
    request->pool->ended_tail = request->link;
  *request->link = request->next;
  if (request->next)
    request->next->link = request->link;
  request->next = NULL;
  request->link = NULL;
}

static void link_running(fh_pool *pool, fh_request *request) {
  request->next = pool->running;
  request->link = &pool->running;
  if (request->next)
    request->next->link = &request->next;
  pool->running = request;
}

static void link_ended(fh_pool *pool, fh_request *request) {
  request->next = NULL;
  request->link = pool->ended_tail;
  *pool->ended_tail = request;
  pool->ended_tail = &request->next;
}

/* --- easy handles ---------------------------------------------------------
 */

/* A connection's socket is told to the poller when it is opened and when it is
 * closed: in between it is watched for one request after the other. */
static int on_socket_opened(void *owner, curl_socket_t fd,
                            curlsocktype purpose) {
  fh_pool *pool = owner;
  (void)purpose;
  fh_sockets_add(&pool->sockets, fd);
  if (pool->timer.poller)
    fh_poller_adopt(pool->timer.poller, fd);
  return CURL_SOCKOPT_OK;
}

static int on_socket_closed(void *owner, curl_socket_t fd) {
  fh_pool *pool = owner;
  fh_sockets_drop(&pool->sockets, fd);
  if (pool->timer.poller)
    fh_poller_drop(pool->timer.poller, fd);
  return close(fd);
}

static CURL *open_easy(fh_pool *pool) {
  CURL *easy = fh_easy_open();
  if (!easy)
    return NULL;
  curl_easy_setopt(easy, CURLOPT_SHARE, pool->share);
  curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_socket_opened);
  curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, pool);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_socket_closed);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, pool);
  return easy;
}

static CURL *take_easy(fh_pool *pool) {
  return pool->spares > 0 ? pool->spare[--pool->spares] : open_easy(pool);
}

static void give_back(fh_pool *pool, const fh_request *request, CURL *easy) {
  if (request->special || request->attempt.retried ||
      pool->spares == FH_SPARE_HANDLES || !fh_easy_forget(easy)) {
    curl_easy_cleanup(easy);
    return;
  }
  pool->spare[pool->spares++] = easy;
}

/* --- libcurl's callbacks --------------------------------------------------
 */

static void reap(fh_pool *pool);

/* libcurl takes the first connection with a stream to spare, even where others
 * idle, so nothing shares one while a request waits for its own. */
static void limit_streams(fh_pool *pool) {
  long streams = pool->sockets.waiting > 0 ? 1 : SHARED_STREAMS;
  if (streams != pool->streams)
    curl_multi_setopt(pool->multi, CURLMOPT_MAX_CONCURRENT_STREAMS, streams);
  pool->streams = streams;
}

/* When libcurl runs out of memory between two requests' turns, it does not say
 * whose socket or timer it lost: none that runs can be relied on any more. */
static void act(fh_pool *pool, curl_socket_t fd, int mask) {
  int running;
  limit_streams(pool);
  if (curl_multi_socket_action(pool->multi, fd, mask, &running) == CURLM_OK) {
    reap(pool);
    return;
  }
  pool->unwatchable = true;
  for (fh_request *each = pool->running; each; each = each->next)
    each->unwatched = true;
}

static void on_readiness(void *owner, int fd, unsigned events) {
  act(owner, fd,
      (events & FH_READ ? CURL_CSELECT_IN : 0) |
          (events & FH_WRITE ? CURL_CSELECT_OUT : 0) |
          (events & FH_ERROR ? CURL_CSELECT_ERR : 0));
}

/* An error here would make the multi handle refuse everything from now on, so
 * the one request whose socket cannot be watched is marked instead. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *owner,
                     void *unused) {
  fh_pool *pool = owner;
  fh_poller *poller = pool->timer.poller;
  (void)unused;
  if (!poller)
    return 0;
  unsigned interest = 0;
  if (what != CURL_POLL_REMOVE)
    interest = (what & CURL_POLL_IN ? FH_READ : 0) |
               (what & CURL_POLL_OUT ? FH_WRITE : 0);
  if (interest == 0) {
    fh_poller_unwatch(poller, fd);
    return 0;
  }
  if (fh_poller_watch(poller, fd, interest, on_readiness, pool) != 0) {
    fh_request *request = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&request);
    if (request)
      request->unwatched = pool->unwatchable = true;
  }
  return 0;
}

static int on_timer_change(CURLM *multi, long milliseconds, void *owner) {
  fh_pool *pool = owner;
  (void)multi;
  if (milliseconds < 0)
    fh_timer_disarm(&pool->timer);
  else
    fh_timer_arm(&pool->timer, (double)milliseconds / 1000);
  return 0;
}

static void on_timer(void *owner) {
  act(owner, CURL_SOCKET_TIMEOUT, 0);
}

/* --- the pool -------------------------------------------------------------
 */

/* A new connection resumes the TLS session of an earlier one, whichever handle
 * that was made by. */
static CURLSH *open_share(void) {
  CURLSH *share = curl_share_init();
  if (share && curl_share_setopt(share, CURLSHOPT_SHARE,
                                 CURL_LOCK_DATA_SSL_SESSION) != CURLSHE_OK) {
    curl_share_cleanup(share);
    share = NULL;
  }
  return share;
}

bool fh_pool_open(fh_pool *pool, fh_poller *poller, long max_connections) {
  *pool = (fh_pool){.pid = poller->pid};
  CURLSH *share = open_share();
  pool->multi = share ? curl_multi_init() : NULL;
  if (!pool->multi) {
    curl_share_cleanup(share);
    return false;
  }
  pool->share = share;
  pool->ended_tail = &pool->ended;
  fh_timer_open(&pool->timer, poller, on_timer, pool);
  curl_multi_setopt(pool->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(pool->multi, CURLMOPT_SOCKETDATA, pool);
  curl_multi_setopt(pool->multi, CURLMOPT_TIMERFUNCTION, on_timer_change);
  curl_multi_setopt(pool->multi, CURLMOPT_TIMERDATA, pool);
  curl_multi_setopt(pool->multi, CURLMOPT_PIPELINING,
                    (long)CURLPIPE_MULTIPLEX);
  if (max_connections > 0) {
    curl_multi_setopt(pool->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS,
                      max_connections);
    curl_multi_setopt(pool->multi, CURLMOPT_MAXCONNECTS, max_connections);
  }
  return true;
}

static bool ours(const fh_pool *pool) {
  return pool->multi && pool->pid == fh_pid();
}

/* Moves a running request to the ended ones and recycles its easy handle. */
static void retire(fh_pool *pool, fh_request *request, CURL *easy) {
  curl_multi_remove_handle(pool->multi, easy);
  give_back(pool, request, easy);
  unlink_request(request);
  link_ended(pool, request);
}

static bool refuse(fh_refusal *refusal, const char *kind,
                   const char *message) {
  *refusal = (fh_refusal){kind, message};
  return false;
}

bool fh_pool_start(fh_pool *pool, fh_request *request, const fh_call *call,
                   fh_refusal *refusal) {
  if (!ours(pool))
    return refuse(refusal, "closed", "the pool belongs to another process");
  if (!pool->timer.poller)
    return refuse(refusal, "closed", "the poller is closed");
  CURL *easy = take_easy(pool);
  if (!easy)
    return refuse(refusal, "connect", "not enough memory");
  if (!fh_request_prepare(request, easy, call, &pool->last, refusal)) {
    give_back(pool, request, easy);
    return false;
  }
  request->pool = pool;
  fh_attempt_begin(&request->attempt, &pool->sockets);
  link_running(pool, request);
  if (curl_multi_add_handle(pool->multi, easy) == CURLM_OK)
    return true;
  give_back(pool, request, easy);
  fh_request_free(request);
  return refuse(refusal, "connect", "not enough memory");
}

/* Sends a request again whose connection had ended before it was sent: over a
 * new one. False where the request has ended. */
static bool send_again(fh_pool *pool, fh_request *request, CURLcode code) {
  CURL *easy = request->easy;
  if (!fh_request_renew(request, code))
    return false;
  curl_multi_remove_handle(pool->multi, easy);
  if (curl_multi_add_handle(pool->multi, easy) == CURLM_OK)
    return true;
  fh_request_abort(request, "connect", "not enough memory");
  retire(pool, request, easy);
  return true;
}

static void reap(fh_pool *pool) {
  CURLMsg *message;
  int left;
  while ((message = curl_multi_info_read(pool->multi, &left))) {
    if (message->msg != CURLMSG_DONE)
      continue;
    CURL *easy = message->easy_handle;
    fh_request *request = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&request);
    CURLcode code = message->data.result;
    if (send_again(pool, request, code))
      continue;
    fh_request_finish(request, code);
    retire(pool, request, easy);
  }
}

static void reap_unwatchable(fh_pool *pool) {
  pool->unwatchable = false;
  fh_request *next;
  for (fh_request *request = pool->running; request; request = next) {
    next = request->next;
    if (!request->unwatched)
      continue;
    CURL *easy = request->easy;
    fh_request_abort(request, request->attempt.prepared ? "reset" : "connect",
                     "not enough memory to wait for the connection");
    retire(pool, request, easy);
  }
}

fh_request *fh_pool_next(fh_pool *pool) {
  if (!ours(pool))
    return NULL;
  reap(pool);
  if (pool->unwatchable)
    reap_unwatchable(pool);
  fh_request *request = pool->ended;
  if (request) {
    unlink_request(request);
    request->pool = NULL;
  }
  return request;
}

void fh_request_cancel(fh_request *request) {
  fh_pool *pool = request->pool;
  if (request->ended || !pool || !ours(pool))
    return;
  CURL *easy = request->easy;
  fh_request_abort(request, "cancelled", "the request was cancelled");
  retire(pool, request, easy);
}

void fh_request_free(fh_request *request) {
  fh_pool *pool = request->pool;
  if (pool && request->easy && ours(pool)) {
    curl_multi_remove_handle(pool->multi, request->easy);
    give_back(pool, request, request->easy);
  }
  if (pool)
    fh_attempt_end(&request->attempt);
  unlink_request(request);
  request->pool = NULL;
  request->easy = NULL;
  fh_request_release(request);
}

static void part(fh_pool *pool, fh_request *request) {
  CURL *easy = request->easy;
  if (!request->ended) {
    if (ours(pool)) {
      fh_request_abort(request, "closed", "the client was closed");
      curl_multi_remove_handle(pool->multi, easy);
      curl_easy_cleanup(easy);
    } else {
      request->easy = NULL;
      fh_request_abort(request, "closed",
                       "the request belongs to another process");
    }
  }
  unlink_request(request);
  request->pool = NULL;
}

void fh_pool_close(fh_pool *pool) {
  if (!pool->multi)
    return;
  while (pool->running)
    part(pool, pool->running);
  while (pool->ended)
    part(pool, pool->ended);
  if (ours(pool)) {
    while (pool->spares > 0)
      curl_easy_cleanup(pool->spare[--pool->spares]);
    curl_multi_cleanup(pool->multi);
    curl_share_cleanup(pool->share);
  }
  fh_timer_close(&pool->timer);
  fh_sockets_free(&pool->sockets);
  fh_origin_free(&pool->last);
  pool->multi = NULL;
  pool->share = NULL;
}
