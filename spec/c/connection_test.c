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

/* Sends `bytes` in segments of `step` and expects this start of an answer,
 * then the end of the connection, and nothing handed over. */
static void refuses(const char *status, const char *bytes, size_t size,
                    size_t step) {
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
  if (strncmp(text, status, strlen(status)) != 0)
    fail_msg("expected %s, heard %s", status, text);
  assert_null(strstr(text + 1, "HTTP/1.1 "));
  assert_false(fh_listener_ready(l));
  close(fd);
  peer_settle(l, 0);
  fh_listener_free(l);
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
  refuses_both_ways("HTTP/1.1 400 ", "\r\n\r\n" PEER_GET);
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
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
