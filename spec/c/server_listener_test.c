#include "support.h"

#include "server_socket.h"
#include "peer.h"

#include <sys/resource.h>
#include <sys/wait.h>

static fh_listener_options quick(void) {
  fh_listener_options options;
  fh_listener_defaults(&options);
  options.port = 0;
  options.header_time = 0.3;
  options.body_time = 0.4;
  options.body_rate = 100;
  options.idle_time = 0.3;
  options.answer_time = 0.3;
  return options;
}

static fh_listener *listen_quick(void) {
  fh_listener_options options = quick();
  return peer_listen(&options);
}

static void hands_over_a_request_and_answers_it(void **state) {
  (void)state;
  const char *names[] = {"content-type", "x-none"};
  char text[1024];
  fh_listener_options options = quick();
  options.names = names;
  options.name_count = 2;
  fh_listener *l = peer_listen(&options);
  int fd = peer_dial(l);
  peer_say(fd, "POST /a%2fb?c=%20&d HTTP/1.1\r\nHost: h\r\n"
               "Content-Type:  text/plain \r\nContent-Length: 5\r\n\r\nhello");
  fh_exchange request = {0};
  peer_await(l, &request);
  fh_slice target = fh_exchange_target(&request);
  assert_int_equal(14, target.size);
  assert_memory_equal("/a%2fb?c=%20&d", target.data, 14);
  assert_memory_equal("POST", fh_exchange_method(&request).data, 4);
  assert_int_equal(5, fh_exchange_body(&request).size);
  assert_memory_equal("hello", fh_exchange_body(&request).data, 5);
  assert_int_equal(10, fh_exchange_header(&request, 0).size);
  assert_memory_equal("text/plain", fh_exchange_header(&request, 0).data, 10);
  assert_null(fh_exchange_header(&request, 1).data);
  const char *headers[] = {"X-A", "b"};
  assert_int_equal(FH_REPLY_SENT,
                   fh_exchange_reply(&request, 201, headers, 1, "done", 4));
  assert_null(request.connection);
  assert_false(peer_hear(l, fd, text, sizeof text, "done"));
  assert_memory_equal("HTTP/1.1 201 ", text, 13);
  assert_non_null(strstr(text, "X-A: b\r\n"));
  close(fd);
  peer_settle(l, 0);
  fh_listener_free(l);
}

static void an_answer_may_come_many_turns_later(void **state) {
  (void)state;
  char text[1024];
  fh_listener_options options = quick();
  options.answer_time = 5;
  fh_listener *l = peer_listen(&options);
  fh_exchange request;
  int fd = peer_ask(l, &request);
  for (int i = 0; i < 20; i++)
    peer_turn(l, 0.001);
  assert_true(fh_listener_timeout(l) > 1); /* set aside, it costs no time */
  assert_int_equal(FH_REPLY_SENT, fh_exchange_accept(&request));
  assert_true(fh_listener_timeout(l) == 0); /* the answer is to be sent */
  assert_false(peer_hear(l, fd, text, sizeof text, "\r\n\r\n{}"));
  peer_say(fd, PEER_GET); /* and the connection goes on */
  peer_await(l, &request);
  fh_exchange_accept(&request);
  assert_false(peer_hear(l, fd, text, sizeof text, "\r\n\r\n{}"));
  peer_end(l, fd);
}

static void answers_for_an_owner_who_does_not(void **state) {
  (void)state;
  char text[1024];
  fh_listener *l = listen_quick();
  fh_exchange request;
  int fd = peer_ask(l, &request);
  peer_hear(l, fd, text, sizeof text, "\r\n\r\n");
  assert_memory_equal("HTTP/1.1 503 ", text, 13);
  assert_null(request.connection);
  assert_int_equal(FH_REPLY_GONE, fh_exchange_accept(&request));
  peer_end(l, fd);
}

static void expect_timeout(const char *bytes, const char *status) {
  char text[1024];
  fh_listener *l = listen_quick();
  int fd = peer_dial(l);
  double begun = peer_clock();
  peer_say(fd, bytes);
  assert_true(peer_hear(l, fd, text, sizeof text, NULL));
  assert_memory_equal(status, text, strlen(status));
  assert_true(peer_clock() - begun > 0.15);
  assert_false(fh_listener_ready(l));
  close(fd);
  peer_settle(l, 0);
  fh_listener_free(l);
}

static void the_head_has_its_time(void **state) {
  (void)state;
  expect_timeout("POST / HTTP/1.1\r\nHost:", "HTTP/1.1 408 ");
  expect_timeout("POS", "HTTP/1.1 408 ");
}

static void the_body_has_its_time(void **state) {
  (void)state;
  expect_timeout("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc",
                 "HTTP/1.1 408 ");
}

/* Bytes keep a slow head from being idle, not from being late. */
static void trickling_does_not_help(void **state) {
  (void)state;
  char text[1024] = "";
  const char *head = "POST / HTTP/1.1\r\nHost: h\r\nX: ";
  fh_listener *l = listen_quick();
  int fd = peer_dial(l);
  double begun = peer_clock(), next = begun;
  ssize_t got = -1;
  while (got < 0 && peer_clock() < begun + 5) {
    if (peer_clock() >= next) { /* slow enough to be short of any limit */
      send(fd, *head ? head : "x", 1, MSG_NOSIGNAL);
      head += *head != '\0';
      next = peer_clock() + 0.002;
    }
    peer_turn(l, 0.02);
    got = recv(fd, text, sizeof text - 1, MSG_DONTWAIT);
  }
  assert_memory_equal("HTTP/1.1 408 ", text, 13);
  assert_true(peer_clock() - begun < 4.5);
  peer_end(l, fd);
}

static void an_idle_connection_is_closed(void **state) {
  (void)state;
  char text[1024];
  fh_listener *l = listen_quick();
  fh_exchange request;
  int fd = peer_ask(l, &request);
  fh_exchange_accept(&request);
  assert_true(peer_hear(l, fd, text, sizeof text, NULL));
  assert_memory_equal("HTTP/1.1 200 ", text, 13);
  assert_string_equal("{}", text + strlen(text) - 2);
  peer_end(l, fd);
}

static void the_oldest_idle_connection_makes_room(void **state) {
  (void)state;
  enum { LIMIT = 4, MORE = 20 };
  char text[1024];
  int fds[MORE];
  fh_listener_options options = quick();
  options.connections = LIMIT;
  options.idle_time = options.header_time = 30;
  fh_listener *l = peer_listen(&options);
  for (int i = 0; i < MORE; i++) {
    fds[i] = peer_dial(l);
    peer_say(fds[i], PEER_GET);
    fh_exchange request = {0};
    peer_await(l, &request);
    fh_exchange_accept(&request);
    assert_false(peer_hear(l, fds[i], text, sizeof text, "{}"));
    assert_true(fh_listener_active(l) <= LIMIT);
  }
  assert_true(peer_hear(l, fds[0], text, sizeof text, NULL));
  assert_int_equal(-1, recv(fds[MORE - 1], text, 1, MSG_DONTWAIT));
  for (int i = 0; i < MORE; i++)
    close(fds[i]);
  fh_listener_free(l);
}

static size_t runs_in(fh_listener *l, double seconds) {
  size_t runs = 0;
  for (double end = peer_clock() + seconds; peer_clock() < end; runs++)
    peer_turn(l, end - peer_clock());
  return runs;
}

static void a_full_listener_keeps_all_until_another_comes(void **state) {
  (void)state;
  char text[1024];
  fh_listener_options options = quick();
  options.connections = 2;
  options.idle_time = options.header_time = 30;
  fh_listener *l = peer_listen(&options);
  int first = peer_dial(l), second = peer_dial(l);
  peer_settle(l, 2);
  for (int i = 0; i < 5; i++)
    peer_turn(l, 0.001);
  assert_int_equal(2, fh_listener_active(l));
  int third = peer_dial(l);
  assert_true(peer_hear(l, first, text, sizeof text, NULL));
  assert_int_equal(2, fh_listener_active(l));
  close(first);
  close(second);
  peer_end(l, third);
}

static void running_out_of_descriptors_pauses_accepting(void **state) {
  (void)state;
  char text[1024];
  struct rlimit limit, none;
  fh_listener *l = listen_quick();
  assert_int_equal(0, getrlimit(RLIMIT_NOFILE, &limit));
  int fd = peer_dial(l);
  none = limit;
  none.rlim_cur = (rlim_t)fd + 1;
  assert_int_equal(0, setrlimit(RLIMIT_NOFILE, &none));
  peer_say(fd, PEER_GET);
  size_t runs = runs_in(l, 0.5);
  assert_int_equal(0, setrlimit(RLIMIT_NOFILE, &limit));
  assert_int_equal(0, fh_listener_active(l));
  assert_true(runs < 50); /* it rests in between */
  int later = peer_dial(l);
  peer_say(later, PEER_GET);
  double end = peer_clock() + 20;
  while (recv(later, text, sizeof text, MSG_DONTWAIT) < 0) { /* comes back */
    fh_exchange request = {0};
    assert_true(peer_clock() < end);
    peer_turn(l, 0.02);
    if (fh_listener_next(l, &request))
      fh_exchange_accept(&request);
  }
  close(fd);
  close(later);
  fh_listener_free(l);
}

static void quiescing_serves_what_came_and_nothing_more(void **state) {
  (void)state;
  char text[1024];
  fh_listener *l = listen_quick();
  int early = peer_dial(l);
  int idle = peer_dial(l);
  peer_say(early, PEER_GET);
  fh_listener_quiesce(l); /* both still wait to be accepted */
  fh_exchange request = {0};
  peer_await(l, &request);
  fh_exchange_accept(&request);
  assert_true(peer_hear(l, early, text, sizeof text, NULL));
  assert_non_null(strstr(text, "Connection: close\r\n"));
  struct sockaddr_in to = {.sin_family = AF_INET,
                           .sin_port = htons((uint16_t)fh_listener_port(l)),
                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int late = socket(AF_INET, SOCK_STREAM, 0);
  assert_int_equal(-1, connect(late, (struct sockaddr *)&to, sizeof to));
  peer_settle(l, 0);
  close(late);
  close(early);
  close(idle);
  fh_listener_free(l);
}

static void freeing_cuts_every_link(void **state) {
  (void)state;
  fh_listener *l = listen_quick();
  fh_exchange requests[3] = {{0}};
  int fds[3];
  for (int i = 0; i < 3; i++) {
    fds[i] = peer_dial(l);
    peer_say(fds[i], PEER_GET);
    if (i < 2)
      peer_await(l, &requests[i]); /* the first is set aside by now */
  }
  peer_turn(l, 0.1); /* the third is complete and not taken */
  fh_listener_free(l);
  for (int i = 0; i < 3; i++) {
    assert_null(requests[i].connection);
    close(fds[i]);
  }
}

static void two_processes_can_share_a_socket(void **state) {
  (void)state;
  char text[64];
  const char *why = NULL;
  fh_listener_options options = quick();
  options.fd = fh_bind("127.0.0.1", 0, &why);
  assert_true(options.fd >= 0);
  int shared = dup(options.fd);
  fh_listener *first = peer_listen(&options);
  options.fd = shared;
  fh_listener *second = peer_listen(&options);
  assert_int_equal(fh_listener_port(first), fh_listener_port(second));
  int fd = peer_dial(first);
  peer_say(fd, PEER_GET);
  fh_exchange request = {0};
  peer_await(second, &request);
  fh_listener_free(first); /* leaves the other's connections alone */
  fh_exchange_accept(&request);
  assert_false(peer_hear(second, fd, text, sizeof text, "HTTP/1.1 200"));
  close(fd);
  fh_listener_free(second);
}

static void a_forked_child_leaves_it_alone(void **state) {
  (void)state;
  char text[1024];
  fh_listener *l = listen_quick();
  fh_exchange request;
  int fd = peer_ask(l, &request);
  pid_t child = fork();
  if (child == 0) {
    fh_listener_free(l);
    _exit(0);
  }
  assert_true(child > 0);
  waitpid(child, NULL, 0);
  fh_exchange_accept(&request);
  assert_false(peer_hear(l, fd, text, sizeof text, "{}"));
  peer_end(l, fd);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(hands_over_a_request_and_answers_it),
      cmocka_unit_test(an_answer_may_come_many_turns_later),
      cmocka_unit_test(answers_for_an_owner_who_does_not),
      cmocka_unit_test(the_head_has_its_time),
      cmocka_unit_test(the_body_has_its_time),
      cmocka_unit_test(trickling_does_not_help),
      cmocka_unit_test(an_idle_connection_is_closed),
      cmocka_unit_test(the_oldest_idle_connection_makes_room),
      cmocka_unit_test(a_full_listener_keeps_all_until_another_comes),
      cmocka_unit_test(running_out_of_descriptors_pauses_accepting),
      cmocka_unit_test(quiescing_serves_what_came_and_nothing_more),
      cmocka_unit_test(freeing_cuts_every_link),
      cmocka_unit_test(two_processes_can_share_a_socket),
      cmocka_unit_test(a_forked_child_leaves_it_alone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
