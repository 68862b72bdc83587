#include "support.h"

#include "peer.h"

typedef struct fixture {
  fh_listener *listener;
  int fd;
  fh_exchange request;
} fixture;

static int set_up(void **state) {
  static fixture f;
  fh_listener_options options;
  fh_listener_defaults(&options);
  options.port = 0;
  f = (fixture){.listener = peer_listen(&options)};
  f.fd = peer_dial(f.listener);
  *state = &f;
  return 0;
}

static int tear_down(void **state) {
  fixture *f = *state;
  close(f->fd);
  fh_listener_free(f->listener);
  return 0;
}

static void ask(fixture *f, const char *bytes) {
  peer_say(f->fd, bytes);
  peer_await(f->listener, &f->request);
}

static void expect(fixture *f, const char *status, const char *until) {
  char text[1024];
  assert_false(peer_hear(f->listener, f->fd, text, sizeof text, until));
  assert_memory_equal(status, text, strlen(status));
}

static void knows_its_peer(void **state) {
  fixture *f = *state;
  char text[64];
  ask(f, PEER_GET);
  assert_true(fh_exchange_peer(&f->request, text, sizeof text));
  assert_string_equal("127.0.0.1", text);
  fh_exchange_accept(&f->request);
  assert_false(fh_exchange_peer(&f->request, text, sizeof text));
}

static void an_absolute_form_is_cut_to_its_path(void **state) {
  fixture *f = *state;
  ask(f, "GET http://evil:1/a?b HTTP/1.1\r\nHost: h\r\n\r\n");
  assert_int_equal(4, fh_exchange_target(&f->request).size);
  assert_memory_equal("/a?b", fh_exchange_target(&f->request).data, 4);
  fh_exchange_accept(&f->request);
  expect(f, "HTTP/1.1 200", "{}");
  ask(f, "GET http://evil HTTP/1.1\r\nHost: h\r\n\r\n");
  assert_int_equal(1, fh_exchange_target(&f->request).size);
  fh_exchange_accept(&f->request);
  expect(f, "HTTP/1.1 200", "{}");
}

static void what_cannot_be_sent_becomes_a_500(void **state) {
  fixture *f = *state;
  const char *headers[] = {"X-A", "b\r\nX-B: c"};
  ask(f, PEER_GET);
  assert_int_equal(FH_REPLY_BAD,
                   fh_exchange_reply(&f->request, 200, headers, 1, "", 0));
  expect(f, "HTTP/1.1 500 ", "\r\n\r\n");
  ask(f, PEER_GET);
  assert_int_equal(FH_REPLY_BAD,
                   fh_exchange_reply(&f->request, 99, NULL, 0, "", 0));
  expect(f, "HTTP/1.1 500 ", "\r\n\r\n");
}

static void a_request_let_go_gets_500(void **state) {
  fixture *f = *state;
  ask(f, PEER_GET);
  fh_exchange_release(&f->request);
  assert_null(f->request.connection);
  fh_exchange_release(&f->request);
  expect(f, "HTTP/1.1 500 ", "\r\n\r\n");
}

static void a_head_request_gets_no_body(void **state) {
  fixture *f = *state;
  char text[1024];
  ask(f, "HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  fh_exchange_reply(&f->request, 200, NULL, 0, "hidden", 6);
  assert_true(peer_hear(f->listener, f->fd, text, sizeof text, NULL));
  assert_non_null(strstr(text, "Content-Length: 6\r\n"));
  assert_null(strstr(text, "hidden"));
}

static void a_peer_that_left_is_no_error(void **state) {
  fixture *f = *state;
  ask(f, PEER_GET);
  struct linger now = {.l_onoff = 1, .l_linger = 0};
  setsockopt(f->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close(f->fd);
  peer_turn(f->listener, 0.05);
  if (f->request.connection)
    fh_exchange_accept(&f->request);
  peer_settle(f->listener, 0);
  f->fd = peer_dial(f->listener);
  ask(f, PEER_GET);
  fh_exchange_accept(&f->request);
  expect(f, "HTTP/1.1 200 ", "{}");
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(knows_its_peer),
      TEST(an_absolute_form_is_cut_to_its_path),
      TEST(what_cannot_be_sent_becomes_a_500),
      TEST(a_request_let_go_gets_500),
      TEST(a_head_request_gets_no_body),
      TEST(a_peer_that_left_is_no_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
