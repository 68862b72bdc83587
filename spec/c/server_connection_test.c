#include "support.h"

#include "peer.h"

static fh_listener *listen_small(void) {
  fh_listener_options options;
  fh_listener_defaults(&options);
  options.port = 0;
  options.limits.body = 1000;
  options.limits.line = 100;
  return peer_listen(&options);
}

/* Expects one whole answer and nothing behind it. The body may say anything:
 * that of libmicrohttpd 1.0.10 quotes a status line. */
static void expect_one(const char *status, const char *text) {
  if (strncmp(text, status, strlen(status)) != 0)
    fail_msg("expected %s, heard %s", status, text);
  const char *body = strstr(text, "\r\n\r\n");
  assert_non_null(body);
  const char *length = strcasestr(text, "content-length: ");
  assert_true(length && length < body);
  assert_int_equal(strtoul(length + 16, NULL, 10), strlen(body + 4));
}

/* Sends `bytes` in segments of `step` and expects an answer with this status
 * line, then the end of the connection, and nothing handed over. With
 * `may_drop` the end alone is lawful, too. */
static void refuses_in(const char *status, const char *bytes, size_t size,
                       size_t step, bool may_drop) {
  char text[4096];
  fh_listener *l = listen_small();
  int fd = peer_dial(l);
  for (size_t at = 0; at < size; at += step) {
    if (send(fd, bytes + at, at + step < size ? step : size - at,
             MSG_NOSIGNAL) < 0)
      break;
    if (step < size)
      peer_turn(l, 0.001);
  }
  assert_true(peer_hear(l, fd, text, sizeof text, NULL));
  if (!may_drop || *text)
    expect_one(status, text);
  assert_false(fh_listener_ready(l));
  close(fd);
  peer_settle(l, 0);
  fh_listener_free(l);
}

static void refuses(const char *status, const char *bytes, size_t size,
                    size_t step) {
  refuses_in(status, bytes, size, step, false);
}

static void refuses_both_ways(const char *status, const char *text) {
  refuses(status, text, strlen(text), strlen(text));
  refuses(status, text, strlen(text), 1);
}

static void a_second_request_never_hides_in_the_first(void **state) {
  (void)state;
  refuses_both_ways("HTTP/1.1 400 ",
                    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n"
                    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" PEER_GET);
  refuses_both_ways("HTTP/1.1 400 ",
                    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n"
                    "Content-Length: 30\r\n\r\n" PEER_GET);
}

static void one_reading_of_each_head(void **state) {
  (void)state;
  refuses_both_ways("HTTP/1.1 400 ", "GET / HTTP/1.1\nHost: h\n\n");
  refuses_both_ways("HTTP/1.1 400 ", "GET / HTTP/1.1\r\nHost: h\n\r\n");
  refuses_both_ways("HTTP/1.1 400 ",
                    "GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n");
  refuses_both_ways("HTTP/1.1 400 ",
                    "GET / HTTP/1.1\r\nHost: h\r\nX: a\rb\r\n\r\n");
  static const char blank[] = "\r\n\r\n\r\n" PEER_GET;
  refuses_in("HTTP/1.1 400 ", blank, sizeof blank - 1, sizeof blank, true);
  refuses_in("HTTP/1.1 400 ", blank, sizeof blank - 1, 1, true);
  static const char nul[] = "GET / HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n";
  refuses("HTTP/1.1 400 ", nul, sizeof nul - 1, sizeof nul);
}

static void a_long_line_is_refused_by_its_name(void **state) {
  (void)state;
  char name[201] = "", text[400];
  memset(name, 'x', sizeof name - 1);
  snprintf(text, sizeof text, "GET /%s HTTP/1.1\r\nHost: h\r\n\r\n", name);
  refuses_both_ways("HTTP/1.1 414 ", text);
}

static void a_header_that_decides_comes_once(void **state) {
  (void)state;
  char text[1024];
  const char *names[] = {"x-signature"};
  fh_listener_options options;
  fh_listener_defaults(&options);
  options.port = 0;
  options.names = names;
  options.name_count = 1;
  fh_listener *l = peer_listen(&options);
  int fd = peer_dial(l);
  peer_say(fd, "GET / HTTP/1.1\r\nHost: h\r\nX-Signature: a\r\n"
               "x-signature: a\r\n\r\n");
  assert_true(peer_hear(l, fd, text, sizeof text, NULL));
  assert_memory_equal("HTTP/1.1 400 ", text, 13);
  assert_int_equal(1, fh_listener_refused(l, 400));
  assert_int_equal(0, fh_listener_refused(l, 413));
  assert_int_equal(0, fh_listener_refused(l, 200));
  peer_end(l, fd);
}

static void a_repeatable_header_that_is_repeated_has_no_value(void **state) {
  (void)state;
  const char *names[] = {"x-signature", "x-settings"};
  fh_listener_options options;
  fh_listener_defaults(&options);
  options.port = 0;
  options.names = names;
  options.name_count = 2;
  options.repeatable = 1;
  fh_listener *l = peer_listen(&options);
  fh_exchange request = {NULL};
  int fd = peer_dial(l);
  peer_say(fd, "GET / HTTP/1.1\r\nHost: h\r\nX-Settings: key=a\r\n"
               "X-Signature: b\r\nX-Settings: c\r\n"
               "x-settings: key=a\r\n\r\n");
  peer_await(l, &request);
  fh_slice signature = fh_exchange_header(&request, 0);
  fh_slice settings = fh_exchange_header(&request, 1);
  assert_true(fh_slice_equal((fh_slice){"b", 1}, signature));
  assert_true(fh_slice_equal((fh_slice){FH_REPEATED, 1}, settings));
  fh_exchange_release(&request);
  peer_end(l, fd);
}

/* The peer goes on sending, and still hears why it was refused. */
static void a_refusal_is_heard(void **state) {
  (void)state;
  static char body[200000];
  char text[4096];
  memset(body, 'x', sizeof body);
  fh_listener *l = listen_small();
  int fd = peer_dial(l);
  peer_say(fd, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n");
  for (size_t at = 0; at < sizeof body; at += 1000) {
    assert_int_equal(1000, send(fd, body + at, 1000, MSG_NOSIGNAL));
    peer_turn(l, 0);
  }
  assert_true(peer_hear(l, fd, text, sizeof text, NULL));
  assert_memory_equal("HTTP/1.1 413 ", text, 13);
  peer_end(l, fd);
}

static void chunks_stop_at_the_limit(void **state) {
  (void)state;
  char text[2000];
  int head = snprintf(text, sizeof text,
                      "POST / HTTP/1.1\r\nHost: h\r\n"
                      "Transfer-Encoding: chunked\r\n\r\n3e9\r\n");
  memset(text + head, 'x', 1001);
  refuses("HTTP/1.1 413 ", text, (size_t)head + 1001, 100);
}

static void tiny_chunks_are_refused(void **state) {
  (void)state;
  static char text[40000];
  fh_listener_options options;
  fh_listener_defaults(&options);
  options.port = 0;
  fh_listener *l = peer_listen(&options);
  int fd = peer_dial(l);
  peer_say(fd, "POST / HTTP/1.1\r\nHost: h\r\n"
               "Transfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 2000 && peer_clock() > 0; i++) {
    send(fd, "1;x\r\na\r\n", 8, MSG_NOSIGNAL);
    peer_turn(l, 0);
  }
  assert_true(peer_hear(l, fd, text, sizeof text, NULL));
  assert_memory_equal("HTTP/1.1 400 ", text, 13);
  peer_end(l, fd);
}

static void the_end_in_the_middle_is_noticed_at_once(void **state) {
  (void)state;
  static const char *const parts[] = {
      "POST / HTTP/1.1\r\nHo",
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc"};
  char text[1024];
  for (size_t i = 0; i < 2; i++) {
    fh_listener *l = listen_small();
    int fd = peer_dial(l);
    double begun = peer_clock();
    peer_say(fd, parts[i]);
    shutdown(fd, SHUT_WR);
    assert_true(peer_hear(l, fd, text, sizeof text, NULL));
    assert_true(peer_clock() - begun < 3); /* the timers have 5 and more */
    assert_false(fh_listener_ready(l));
    peer_end(l, fd);
  }
}

static void a_peer_may_end_its_side_and_wait(void **state) {
  (void)state;
  char text[1024];
  fh_listener *l = listen_small();
  int fd = peer_dial(l);
  peer_say(fd, PEER_GET PEER_GET);
  shutdown(fd, SHUT_WR);
  for (int i = 0; i < 2; i++) {
    fh_exchange request = {0};
    peer_await(l, &request);
    peer_turn(l, 0.01);
    fh_exchange_accept(&request);
  }
  assert_true(peer_hear(l, fd, text, sizeof text, NULL));
  assert_non_null(strstr(strstr(text, "{}") + 2, "{}"));
  close(fd);
  peer_settle(l, 0);
  fh_listener_free(l);
}

static void a_body_grows_by_what_arrives(void **state) {
  (void)state;
  char text[1024], expected[1000];
  fh_listener *l = listen_small();
  int fd = peer_dial(l);
  peer_say(fd, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n");
  for (int i = 0; i < 1000; i++) {
    expected[i] = (char)('a' + i % 26);
    peer_say_bytes(fd, expected + i, 1);
    peer_turn(l, 0);
  }
  fh_exchange request = {0};
  peer_await(l, &request);
  assert_int_equal(1000, fh_exchange_body(&request).size);
  assert_memory_equal(expected, fh_exchange_body(&request).data, 1000);
  fh_exchange_accept(&request);
  assert_false(peer_hear(l, fd, text, sizeof text, "{}"));
  peer_end(l, fd);
}

static size_t refused(const fh_listener *l) {
  static const unsigned all[] = {400, 408, 413, 414, 431, 501, 505};
  size_t sum = 0;
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    sum += fh_listener_refused(l, all[i]);
  return sum;
}

#define CHUNKED                                                               \
  "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"

/* Whichever of us refuses: libmicrohttpd has answers of its own, and closes
 * without one. */
static void each_refusal_counts_once(void **state) {
  (void)state;
  static const char *const rows[] = {
      "GET / HTTP/1.1\r\n\r\n",
      "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n" PEER_GET,
      "\r\n\r\n\r\n" PEER_GET,
      "GET / HTTP/2.0\r\nHost: h\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +5\r\n\r\nhello",
      CHUNKED "x\r\n",
      CHUNKED "5\r\nhello\r\n0\r\nno colon\r\n\r\n",
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char text[4096];
    fh_listener *l = listen_small();
    int fd = peer_dial(l);
    peer_say(fd, rows[i]);
    assert_true(peer_hear(l, fd, text, sizeof text, NULL));
    close(fd);
    peer_settle(l, 0);
    if (refused(l) != 1)
      fail_msg("%zu refusals counted of row %zu", refused(l), i);
    fh_listener_free(l);
  }
}

/* Answers `bytes`, and expects this many refusals once the end is there. With
 * `first` the peer ends its side first. */
static void counts(size_t expected, const char *bytes, bool first) {
  char text[4096];
  fh_exchange request = {0};
  fh_listener *l = listen_small();
  int fd = peer_dial(l);
  peer_say(fd, bytes);
  peer_await(l, &request);
  fh_exchange_accept(&request);
  assert_false(peer_hear(l, fd, text, sizeof text, "{}"));
  if (first)
    shutdown(fd, SHUT_WR);
  assert_true(peer_hear(l, fd, text, sizeof text, NULL));
  assert_int_equal(expected, refused(l));
  peer_end(l, fd);
}

static void an_end_is_no_refusal(void **state) {
  (void)state;
  counts(0, PEER_GET, true);
  counts(0, "GET / HTTP/1.0\r\n\r\n", false);
  counts(0, "GET / HTTP/1.1\r\nHost: h\r\nConnection: x, Close\r\n\r\n",
         false);
  counts(0, CHUNKED "1\r\na\r\n0\r\n\r\n", false);
  counts(1, PEER_GET "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n" PEER_GET, false);
}

/* Some peers send one behind a body; RFC 9112, 2.2, wants it ignored. */
static void one_empty_line_may_come_before_a_request(void **state) {
  (void)state;
  static const char *const lines[] = {"\r\n", "\r\n\r\n", "\n", "\r\r\n"};
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
    char text[4096];
    fh_exchange request = {0};
    fh_listener *l = listen_small();
    int fd = peer_dial(l);
    peer_say(fd, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi");
    peer_say(fd, lines[i]);
    peer_say(fd, PEER_GET);
    peer_await(l, &request);
    assert_int_equal(2, fh_exchange_body(&request).size);
    fh_exchange_accept(&request);
    if (i == 0) {
      peer_await(l, &request);
      fh_exchange_accept(&request);
    } else {
      assert_true(peer_hear(l, fd, text, sizeof text, NULL));
      assert_false(fh_listener_ready(l));
      assert_int_equal(1, refused(l));
    }
    peer_end(l, fd);
  }
}

static void no_refusal_where_nothing_came(void **state) {
  (void)state;
  fh_listener *l = listen_small();
  int fd = peer_dial(l);
  peer_settle(l, 1);
  close(fd);
  peer_settle(l, 0);
  assert_int_equal(0, refused(l));
  fh_listener_free(l);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_second_request_never_hides_in_the_first),
      cmocka_unit_test(one_reading_of_each_head),
      cmocka_unit_test(a_long_line_is_refused_by_its_name),
      cmocka_unit_test(a_header_that_decides_comes_once),
      cmocka_unit_test(a_repeatable_header_that_is_repeated_has_no_value),
      cmocka_unit_test(a_refusal_is_heard),
      cmocka_unit_test(chunks_stop_at_the_limit),
      cmocka_unit_test(tiny_chunks_are_refused),
      cmocka_unit_test(the_end_in_the_middle_is_noticed_at_once),
      cmocka_unit_test(a_peer_may_end_its_side_and_wait),
      cmocka_unit_test(a_body_grows_by_what_arrives),
      cmocka_unit_test(each_refusal_counts_once),
      cmocka_unit_test(an_end_is_no_refusal),
      cmocka_unit_test(one_empty_line_may_come_before_a_request),
      cmocka_unit_test(no_refusal_where_nothing_came),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
