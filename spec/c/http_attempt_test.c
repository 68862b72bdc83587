#include "support.h"

#include <openssl/ssl.h>
#include <sys/socket.h>

#include "http_attempt.h"

/* --- what libcurl and OpenSSL tell of a transfer ----------------------------
 * These stand before the libraries' own. */
#define EXPORT __attribute__((visibility("default")))

static struct {
  long size, connects, number;
  bool http2;
} told;

#undef curl_easy_getinfo
EXPORT CURLcode curl_easy_getinfo(CURL *easy, CURLINFO what, ...) {
  static struct curl_tlssessioninfo tls = {CURLSSLBACKEND_OPENSSL, &told};
  va_list rest;
  (void)easy;
  va_start(rest, what);
  void *out = va_arg(rest, void *);
  va_end(rest);
  if (what == CURLINFO_TLS_SSL_PTR)
    *(struct curl_tlssessioninfo **)out = &tls;
  else if (what == CURLINFO_REQUEST_SIZE)
    *(long *)out = told.size;
  else if (what == CURLINFO_NUM_CONNECTS)
    *(long *)out = told.connects;
  else
    *(long *)out = told.number;
  return CURLE_OK;
}

EXPORT void SSL_get0_alpn_selected(const SSL *ssl, const unsigned char **name,
                                   unsigned *size) {
  (void)ssl;
  *name = (const unsigned char *)"h2";
  *size = told.http2 ? 2 : 0;
}

/* --- a pool's socket, and its peer's ---------------------------------------
 */

static CURL *easy;
static fh_sockets sockets;
static int pair[2];
static const fh_ends ends = {"", 0, 0}; /* of a socket without addresses */

static int open_world(void **state) {
  (void)state;
  easy = curl_easy_init();
  memset(&told, 0, sizeof told);
  sockets = (fh_sockets){0};
  assert_int_equal(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  fh_sockets_add(&sockets, pair[0]);
  return 0;
}

static int close_world(void **state) {
  (void)state;
  assert_int_equal(0, sockets.waiting);
  fh_sockets_free(&sockets);
  close(pair[0]), close(pair[1]);
  curl_easy_cleanup(easy);
  return 0;
}

static bool ready(fh_attempt *attempt) {
  return fh_attempt_ready(attempt, easy, &ends);
}

static fh_attempt begun(bool repeatable) {
  fh_attempt attempt = {.repeatable = repeatable};
  fh_attempt_begin(&attempt, &sockets);
  return attempt;
}

static void say(void) {
  assert_int_equal(1, send(pair[1], "x", 1, 0));
}

static void goes_out_on_a_kept_connection(void **state) {
  (void)state;
  for (int http2 = 0; http2 < 2; http2++)
    for (int repeatable = 0; repeatable < 2; repeatable++) {
      fh_attempt attempt = begun(repeatable);
      told.http2 = http2;
      assert_true(ready(&attempt));
      assert_false(fh_attempt_was_sent(&attempt, easy));
      told.size += 100;
      assert_true(fh_attempt_was_sent(&attempt, easy));
      fh_attempt_end(&attempt);
      fh_attempt_end(&attempt);
      assert_int_equal(0, sockets.list[0].visits);
    }
}

/* A proxy's CONNECT is not the request. */
static void counts_what_was_sent_since_it_was_ready(void **state) {
  (void)state;
  fh_attempt attempt = begun(false);
  told.size = 70;
  told.connects = 1;
  assert_false(fh_attempt_was_sent(&attempt, easy));
  assert_true(ready(&attempt));
  assert_false(fh_attempt_was_sent(&attempt, easy));
  told.size = 71;
  assert_true(fh_attempt_was_sent(&attempt, easy));
  fh_attempt_end(&attempt);
}

static void takes_a_new_connection_where_the_kept_one_ended(void **state) {
  (void)state;
  say();
  for (int repeatable = 0; repeatable < 2; repeatable++) {
    fh_attempt attempt = begun(repeatable);
    assert_false(ready(&attempt));
    assert_true(attempt.stale);
    assert_true(fh_attempt_renew(&attempt, easy));
    assert_false(fh_attempt_renew(&attempt, easy));
    assert_false(attempt.retried);
    assert_true(ready(&attempt)); /* once is enough */
    fh_attempt_end(&attempt);
  }
}

/* What comes may be a GOAWAY, which libcurl reads for those that it may send
 * again. */
static void
looks_at_streams_before_it_sends_what_must_not_repeat(void **state) {
  (void)state;
  told.http2 = true;
  say();
  fh_attempt reading = begun(true), posting = begun(false);
  assert_true(ready(&reading));
  assert_true(ready(&posting)); /* it may be an answer for the other */
  fh_attempt_end(&posting);
  fh_attempt_end(&reading);
  posting = begun(false);
  assert_false(ready(&posting));
  assert_true(posting.stale);
  fh_attempt_end(&posting);
  close(pair[1]);
  pair[1] = dup(pair[0]);
}

static void is_not_sent_twice_over_a_kept_connection(void **state) {
  (void)state;
  fh_attempt attempt = begun(false);
  assert_true(ready(&attempt));
  told.size = 100;
  assert_false(ready(&attempt));
  assert_false(attempt.stale);
  assert_true(attempt.retried);
  assert_true(fh_attempt_was_sent(&attempt, easy));
  assert_false(fh_attempt_renew(&attempt, easy));
  fh_attempt_end(&attempt);
}

static void is_sent_again_where_a_new_connection_refused_it(void **state) {
  (void)state;
  fh_attempt attempt = begun(false);
  told.connects = 1;
  assert_true(ready(&attempt));
  told.size = 100;
  told.connects = 2;
  assert_true(ready(&attempt));
  assert_true(attempt.retried);
  assert_false(fh_attempt_was_sent(&attempt, easy));
  fh_attempt_end(&attempt);
}

static void is_not_sent_again_where_another_had_joined(void **state) {
  (void)state;
  fh_attempt attempt = begun(false), other = begun(true);
  told.connects = 1;
  assert_true(ready(&attempt));
  told.connects = 0;
  assert_true(ready(&other));
  fh_attempt_end(&other);
  told.size = 100;
  told.connects = 2;
  assert_false(ready(&attempt));
  fh_attempt_end(&attempt);
}

static void is_not_sent_again_where_the_socket_is_not_known(void **state) {
  (void)state;
  fh_attempt attempt = begun(false);
  fh_sockets_drop(&sockets, pair[0]);
  told.connects = 1;
  assert_true(ready(&attempt));
  told.size = 100;
  told.connects = 2;
  assert_false(ready(&attempt));
  fh_attempt_end(&attempt);
}

/* It did not wait for the connection that libcurl chose then. */
static void leaves_the_others_when_it_was_refused(void **state) {
  (void)state;
  fh_attempt reading = begun(true), attempt = begun(false);
  told.http2 = true;
  told.connects = 1;
  assert_true(ready(&attempt));
  attempt.visit.joined = false;
  assert_true(ready(&reading));
  attempt.visit.joined = false;
  told.size = 100;
  assert_false(ready(&attempt)); /* a kept one: `connects` is as it was */
  assert_true(attempt.stale);
  assert_true(fh_attempt_renew(&attempt, easy));
  fh_attempt_end(&attempt);
  fh_attempt_end(&reading);
}

static void gets_a_new_connection_in_the_third_try(void **state) {
  (void)state;
  fh_attempt attempt = begun(true);
  assert_true(ready(&attempt));
  told.size = 100;
  assert_true(ready(&attempt));
  assert_false(ready(&attempt));
  assert_true(attempt.stale);
  assert_true(fh_attempt_renew(&attempt, easy));
  assert_true(fh_attempt_was_sent(&attempt, easy)); /* the first ones were */
  for (int i = 0; i < 5; i++)
    assert_true(ready(&attempt));
  fh_attempt_end(&attempt);
}

static void lost(fh_attempt *attempt, CURLcode code, bool again) {
  fh_attempt_lost(attempt, code);
  assert_int_equal(again, fh_attempt_renew(attempt, easy));
}

static void is_renewed_where_libcurl_gives_up_too_early(void **state) {
  (void)state;
  fh_attempt reading = begun(true), posting = begun(false);
  assert_true(ready(&reading));
  assert_true(ready(&posting));
  told.size = 100;
  lost(&posting, CURLE_HTTP2, false);
  lost(&posting, CURLE_PARTIAL_FILE, false);
  lost(&reading, CURLE_RECV_ERROR, false);
  lost(&reading, CURLE_PARTIAL_FILE, true);
  assert_true(ready(&reading));
  lost(&reading, CURLE_PARTIAL_FILE, false);
  lost(&reading, CURLE_HTTP2, false);
  fh_attempt_end(&reading);
  fh_attempt_end(&posting);
}

static void waits_for_a_connection_of_its_own(void **state) {
  (void)state;
  fh_attempt reading = begun(true), posting = begun(false);
  assert_int_equal(1, sockets.waiting);
  fh_attempt other = begun(false);
  assert_int_equal(2, sockets.waiting);
  assert_true(ready(&posting));
  assert_int_equal(1, sockets.waiting);
  fh_attempt_end(&other); /* cancelled */
  fh_attempt_end(&other);
  assert_int_equal(0, sockets.waiting);
  fh_attempt_end(&posting);
  fh_attempt_end(&reading);
  say();
  posting = begun(false);
  assert_false(ready(&posting));
  assert_int_equal(0, sockets.waiting);
  assert_true(fh_attempt_renew(&posting, easy));
  assert_int_equal(1, sockets.waiting);
  fh_attempt_end(&posting);
}

static void tells_whether_a_system_call_failed(void **state) {
  (void)state;
  fh_attempt attempt = begun(true);
  told.number = 111;
  assert_true(ready(&attempt));
  assert_false(fh_attempt_broke(&attempt, easy));
  told.number = 104;
  assert_true(fh_attempt_broke(&attempt, easy));
  fh_attempt_end(&attempt);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_world, close_world)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(goes_out_on_a_kept_connection),
      TEST(counts_what_was_sent_since_it_was_ready),
      TEST(takes_a_new_connection_where_the_kept_one_ended),
      TEST(looks_at_streams_before_it_sends_what_must_not_repeat),
      TEST(is_not_sent_twice_over_a_kept_connection),
      TEST(is_sent_again_where_a_new_connection_refused_it),
      TEST(is_not_sent_again_where_another_had_joined),
      TEST(is_not_sent_again_where_the_socket_is_not_known),
      TEST(leaves_the_others_when_it_was_refused),
      TEST(gets_a_new_connection_in_the_third_try),
      TEST(is_renewed_where_libcurl_gives_up_too_early),
      TEST(waits_for_a_connection_of_its_own),
      TEST(tells_whether_a_system_call_failed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
