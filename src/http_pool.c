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
  fh_transfer_init();
}

bool fh_http_init(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, initialise);
  return initialised == CURLE_OK;
}

/* --- the lists of running and ended requests ------------------------------
 */

static void unlink_request(fh_transfer *transfer) {
  if (!transfer->link)
    return;
  if (transfer->pool && transfer->pool->ended_tail == &transfer->next)
    transfer->pool->ended_tail = transfer->link;
  *transfer->link = transfer->next;
  if (transfer->next)
    transfer->next->link = transfer->link;
  transfer->next = NULL;
  transfer->link = NULL;
}

static void link_running(fh_pool *pool, fh_transfer *transfer) {
  transfer->next = pool->running;
  transfer->link = &pool->running;
  if (transfer->next)
    transfer->next->link = &transfer->next;
  pool->running = transfer;
}

static void link_ended(fh_pool *pool, fh_transfer *transfer) {
  transfer->next = NULL;
  transfer->link = pool->ended_tail;
  *pool->ended_tail = transfer;
  pool->ended_tail = &transfer->next;
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

static void give_back(fh_pool *pool, const fh_transfer *transfer, CURL *easy) {
  if (transfer->special || transfer->attempt.retried ||
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
static void socket_action(fh_pool *pool, curl_socket_t fd, int mask) {
  int running;
  limit_streams(pool);
  if (curl_multi_socket_action(pool->multi, fd, mask, &running) == CURLM_OK) {
    reap(pool);
    return;
  }
  pool->unwatchable = true;
  for (fh_transfer *each = pool->running; each; each = each->next)
    each->unwatched = true;
}

static void on_readiness(void *owner, int fd, unsigned events) {
  socket_action(owner, fd,
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
    fh_transfer *transfer = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&transfer);
    if (transfer)
      transfer->unwatched = pool->unwatchable = true;
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
  socket_action(owner, CURL_SOCKET_TIMEOUT, 0);
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
static void retire(fh_pool *pool, fh_transfer *transfer, CURL *easy) {
  curl_multi_remove_handle(pool->multi, easy);
  give_back(pool, transfer, easy);
  unlink_request(transfer);
  link_ended(pool, transfer);
}

static bool refuse(fh_refusal *refusal, const char *kind,
                   const char *message) {
  *refusal = (fh_refusal){kind, message};
  return false;
}

bool fh_pool_start(fh_pool *pool, fh_transfer *transfer,
                   const fh_request *request, fh_refusal *refusal) {
  if (!ours(pool))
    return refuse(refusal, "closed", "the pool belongs to another process");
  if (!pool->timer.poller)
    return refuse(refusal, "closed", "the poller is closed");
  CURL *easy = take_easy(pool);
  if (!easy)
    return refuse(refusal, "connect", "not enough memory");
  if (!fh_transfer_prepare(transfer, easy, request, &pool->last, refusal)) {
    give_back(pool, transfer, easy);
    return false;
  }
  transfer->pool = pool;
  fh_attempt_begin(&transfer->attempt, &pool->sockets);
  link_running(pool, transfer);
  if (curl_multi_add_handle(pool->multi, easy) == CURLM_OK)
    return true;
  give_back(pool, transfer, easy);
  fh_transfer_free(transfer);
  return refuse(refusal, "connect", "not enough memory");
}

/* Sends a request again whose connection had ended before it was sent: over a
 * new one. False where the request has ended. */
static bool send_again(fh_pool *pool, fh_transfer *transfer, CURLcode code) {
  CURL *easy = transfer->easy;
  if (!fh_transfer_renew(transfer, code))
    return false;
  curl_multi_remove_handle(pool->multi, easy);
  if (curl_multi_add_handle(pool->multi, easy) == CURLM_OK)
    return true;
  fh_transfer_abort(transfer, "connect", "not enough memory");
  retire(pool, transfer, easy);
  return true;
}

static void reap(fh_pool *pool) {
  CURLMsg *message;
  int left;
  while ((message = curl_multi_info_read(pool->multi, &left))) {
    if (message->msg != CURLMSG_DONE)
      continue;
    CURL *easy = message->easy_handle;
    fh_transfer *transfer = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&transfer);
    CURLcode code = message->data.result;
    if (send_again(pool, transfer, code))
      continue;
    fh_transfer_finish(transfer, code);
    retire(pool, transfer, easy);
  }
}

static void reap_unwatchable(fh_pool *pool) {
  pool->unwatchable = false;
  fh_transfer *next;
  for (fh_transfer *transfer = pool->running; transfer; transfer = next) {
    next = transfer->next;
    if (!transfer->unwatched)
      continue;
    CURL *easy = transfer->easy;
    fh_transfer_abort(transfer,
                      transfer->attempt.prepared ? "reset" : "connect",
                      "not enough memory to wait for the connection");
    retire(pool, transfer, easy);
  }
}

fh_transfer *fh_pool_next(fh_pool *pool) {
  if (!ours(pool))
    return NULL;
  reap(pool);
  if (pool->unwatchable)
    reap_unwatchable(pool);
  fh_transfer *transfer = pool->ended;
  if (transfer) {
    unlink_request(transfer);
    transfer->pool = NULL;
  }
  return transfer;
}

void fh_transfer_cancel(fh_transfer *transfer) {
  fh_pool *pool = transfer->pool;
  if (transfer->ended || !pool || !ours(pool))
    return;
  CURL *easy = transfer->easy;
  fh_transfer_abort(transfer, "cancelled", "the request was cancelled");
  retire(pool, transfer, easy);
}

void fh_transfer_free(fh_transfer *transfer) {
  fh_pool *pool = transfer->pool;
  if (pool && transfer->easy && ours(pool)) {
    curl_multi_remove_handle(pool->multi, transfer->easy);
    give_back(pool, transfer, transfer->easy);
  }
  if (pool)
    fh_attempt_end(&transfer->attempt);
  unlink_request(transfer);
  transfer->pool = NULL;
  transfer->easy = NULL;
  fh_transfer_release(transfer);
}

static void detach(fh_pool *pool, fh_transfer *transfer) {
  CURL *easy = transfer->easy;
  if (!transfer->ended) {
    if (ours(pool)) {
      fh_transfer_abort(transfer, "closed", "the client was closed");
      curl_multi_remove_handle(pool->multi, easy);
      curl_easy_cleanup(easy);
    } else {
      transfer->easy = NULL;
      fh_transfer_abort(transfer, "closed",
                        "the request belongs to another process");
    }
  }
  unlink_request(transfer);
  transfer->pool = NULL;
}

void fh_pool_close(fh_pool *pool) {
  if (!pool->multi)
    return;
  while (pool->running)
    detach(pool, pool->running);
  while (pool->ended)
    detach(pool, pool->ended);
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
