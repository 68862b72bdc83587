/* Heads and chunked bodies in pieces. What is expected holds for every version
 * of libmicrohttpd; server_legacy.c does most
 * of it for versions before 1.0. */
#include "support.h"

#include "server_legacy.h"
#include "peer.h"

#include <dlfcn.h>
#include <microhttpd.h>

static const char *version; /* NULL: the real one */

/* It stands before the library's own. */
const char *MHD_get_version(void) {
  const char *(*real)(void);
  void *found = dlsym(RTLD_NEXT, "MHD_get_version");
  memcpy(&real, &found, sizeof real);
  return version ? version : real();
}

static void knows_the_versions(void **state) {
  (void)state;
  static const char *const legacy[] = {"0.9.70", "0.9.75", "0.9.77"};
  static const char *const others[] = {"0.9.69",  "0.9.78", "0.9.7",
                                       "0.9.750", "1.0.1",  "1.0.10"};
  for (size_t i = 0; i < sizeof legacy / sizeof *legacy; i++) {
    version = legacy[i];
    assert_true(fh_legacy_is_loaded());
  }
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    version = others[i];
    assert_false(fh_legacy_is_loaded());
  }
  version = NULL;
}

static fh_listener_options options_with_times(void) {
  fh_listener_options options;
  fh_listener_defaults(&options);
  options.port = 0;
  options.header_time = options.body_time = 20;
  return options;
}

static fh_listener *listen_here(void) {
  fh_listener_options options = options_with_times();
  return peer_listen(&options);
}

/* Sends the first `size` bytes of the rest, and lets them be read. */
static void say_part(fh_listener *l, int fd, const char *bytes, size_t size) {
  peer_say_bytes(fd, bytes, size);
  for (int i = 0; i < 3; i++)
    peer_turn(l, 0);
}

static void expect_request(fh_listener *l, int fd, const char *body,
                           size_t size) {
  char text[1024];
  fh_exchange request = {0};
  peer_await(l, &request);
  assert_int_equal(size, fh_exchange_body(&request).size);
  assert_memory_equal(body, fh_exchange_body(&request).data, size);
  fh_exchange_accept(&request);
  assert_false(peer_hear(l, fd, text, sizeof text, "\r\n\r\n{}"));
  assert_memory_equal("HTTP/1.1 200 ", text, 13);
}

/* Byte by byte, and in two parts, cut at each place. */
static void takes(const char *bytes, size_t size, const char *body,
                  size_t body_size) {
  fh_listener *l = listen_here();
  int fd = peer_dial(l);
  for (size_t at = 0; at < size; at++)
    say_part(l, fd, bytes + at, 1);
  expect_request(l, fd, body, body_size);
  close(fd);
  for (size_t cut = 1; cut < size; cut++) {
    fd = peer_dial(l);
    say_part(l, fd, bytes, cut);
    peer_say_bytes(fd, bytes + cut, size - cut);
    expect_request(l, fd, body, body_size);
    close(fd);
  }
  fh_listener_free(l);
}

static void refuses(const char *bytes, size_t size) {
  fh_listener *l = listen_here();
  for (size_t cut = 1; cut <= size; cut++) {
    char text[4096];
    fh_exchange request = {0};
    int fd = peer_dial(l);
    say_part(l, fd, bytes, cut);
    if (cut < size)
      send(fd, bytes + cut, size - cut, MSG_NOSIGNAL);
    assert_true(peer_hear(l, fd, text, sizeof text, NULL));
    assert_memory_equal("HTTP/1.1 400 ", text, 13);
    assert_null(strstr(text + 1, "HTTP/1.1 400"));
    assert_false(fh_listener_next(l, &request));
    close(fd);
  }
  fh_listener_free(l);
}

#define TAKES(bytes, body)                                                    \
  takes(bytes, sizeof(bytes) - 1, body, sizeof(body) - 1)
#define REFUSES(bytes) refuses(bytes, sizeof(bytes) - 1)

#define POST    "POST /a?b HTTP/1.1\r\nHost: h\r\n"
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"

static void a_head_may_come_in_pieces(void **state) {
  (void)state;
  TAKES(PEER_GET, "");
  TAKES("\r\n" PEER_GET, "");
  TAKES("GET / HTTP/1.0\r\n\r\n", "");
  TAKES(POST "Content-Length: 5\r\nX:\r\n\r\nhello", "hello");
  TAKES(POST "Content-Length: 4\r\n\r\n\0\r\n\0", "\0\r\n\0");
}

static void a_head_ends_in_one_way(void **state) {
  (void)state;
  REFUSES(POST "X: y\r\n:\n" PEER_GET);
  REFUSES(POST ":\nContent-Length: 5\r\n\r\nhello");
  REFUSES(POST ":\r\n" PEER_GET);
  REFUSES(POST "X: y\n\r\n");
  REFUSES("POST / HTTP/1.1\nHost: h\r\n\r\n");
  REFUSES(POST "Content-Length: +5\r\n\r\nhello");
  REFUSES(POST "Content-Length: +5\r\nContent-Length: 5\r\n\r\nhello");
}

static void chunks_may_come_in_pieces(void **state) {
  (void)state;
  TAKES(CHUNKED "0\r\n\r\n", "");
  TAKES(CHUNKED "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", "hello!");
  TAKES(CHUNKED "4\r\n\0\r\n\0\r\n0\r\na: b\r\n\r\n", "\0\r\n\0");
}

static void chunks_end_in_one_way(void **state) {
  (void)state;
  REFUSES(CHUNKED "5\nhello\r\n0\r\n\r\n");
  REFUSES(CHUNKED "5\r\nhello\n0\r\n\r\n");
  REFUSES(CHUNKED "5\r\nhello\r\n0\n\r\n");
  REFUSES(CHUNKED "5\r\nhello\r\n0\r\na: b\n\r\n");
}

/* Heads of several pages; cut where a page ends, too. */
static void a_head_may_have_pages(void **state) {
  (void)state;
  static char bytes[40000];
  for (size_t lines = 1; lines <= 4; lines++) {
    fh_listener *l = listen_here();
    size_t size = (size_t)snprintf(bytes, sizeof bytes, POST);
    for (size_t i = 0; i < lines; i++)
      size += (size_t)snprintf(bytes + size, sizeof bytes - size,
                               "X-%zu: %08000d\r\n", i, 0);
    size += (size_t)snprintf(bytes + size, sizeof bytes - size,
                             "Content-Length: 2\r\n\r\nhi");
    static const size_t cuts[] = {20, 4095, 4096, 4097, 8192, 30000};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
      size_t cut = cuts[i] < size ? cuts[i] : size;
      int fd = peer_dial(l);
      say_part(l, fd, bytes, cut);
      if (cut < size)
        peer_say_bytes(fd, bytes + cut, size - cut);
      expect_request(l, fd, "hi", 2);
      close(fd);
    }
    int fd = peer_dial(l); /* an end that is there already is no byte */
    peer_say_bytes(fd, bytes, size);
    shutdown(fd, SHUT_WR);
    expect_request(l, fd, "hi", 2);
    close(fd);
    fh_listener_free(l);
  }
}

/* A target that begins a page would pass for the first of its memory. */
static void a_method_may_have_pages(void **state) {
  (void)state;
  static char bytes[60000];
  for (size_t pages = 1; pages < 12; pages++) {
    fh_listener *l = listen_here();
    char text[4096];
    int fd = peer_dial(l);
    memset(bytes, 'A', sizeof bytes);
    size_t size = pages * 4096;
    size += (size_t)snprintf(bytes + size, sizeof bytes - size, POST "X: ");
    bytes[size] = 'x'; /* no zero for as long as there is memory */
    peer_say_bytes(fd, bytes, sizeof bytes);
    assert_true(peer_hear(l, fd, text, sizeof text, NULL));
    assert_false(fh_listener_ready(l));
    close(fd);
    fh_listener_free(l);
  }
}

/* What came before on the connection is not taken for a part of the body. */
static void chunks_may_follow_other_requests(void **state) {
  (void)state;
  fh_listener *l = listen_here();
  int fd = peer_dial(l);
  peer_say(fd, PEER_GET);
  expect_request(l, fd, "", 0);
  peer_say(fd, POST "Content-Length: 5\r\n\r\nhello\r\n" PEER_GET);
  expect_request(l, fd, "hello", 5);
  expect_request(l, fd, "", 0);
  say_part(l, fd, POST "Content-Length: 3\r\n\r\n", sizeof POST + 20);
  say_part(l, fd, "abc", 3);
  expect_request(l, fd, "abc", 3);
  say_part(l, fd, CHUNKED "5\r\nhe", sizeof CHUNKED + 4);
  say_part(l, fd, "llo\r\n1\r", 7);
  peer_say(fd, "\n!\r\n0\r\n\r\n");
  expect_request(l, fd, "hello!", 6);
  peer_end(l, fd);
}

/* Ends its side behind each part of a request with chunks. */
static void the_end_may_come_behind_chunks(void **state) {
  (void)state;
  static const char bytes[] = CHUNKED "5\r\nhello\r\n0\r\n\r\n";
  fh_listener *l = listen_here();
  int older = peer_dial(l); /* libmicrohttpd has its turn with this one */
  for (size_t cut = sizeof CHUNKED - 1; cut < sizeof bytes - 1; cut++) {
    int fd = peer_dial(l);
    say_part(l, fd, bytes, cut);
    peer_say_bytes(fd, bytes + cut, sizeof bytes - 1 - cut);
    shutdown(fd, SHUT_WR);
    expect_request(l, fd, "hello", 5);
    close(fd);
  }
  for (size_t cut = 1; cut < sizeof bytes - 1; cut++) {
    char text[4096];
    int fd = peer_dial(l);
    say_part(l, fd, bytes, cut);
    shutdown(fd, SHUT_WR);
    assert_true(peer_hear(l, fd, text, sizeof text, NULL));
    if (*text)
      assert_memory_equal("HTTP/1.1 400 ", text, 13);
    assert_false(fh_listener_ready(l));
    close(fd);
  }
  peer_settle(l, 1);
  peer_end(l, older);
}

static void waits_to_be_told_to_go_on(void **state) {
  (void)state;
  char text[1024];
  fh_listener *l = listen_here();
  int fd = peer_dial(l);
  peer_say(fd, POST "Expect: 100-continue\r\n"
                    "Transfer-Encoding: chunked\r\n\r\n");
  assert_false(peer_hear(l, fd, text, sizeof text, "\r\n\r\n"));
  assert_string_equal("HTTP/1.1 100 Continue\r\n\r\n", text);
  peer_say(fd, "5\r\nhello\r\n0\r\n\r\n");
  expect_request(l, fd, "hello", 5);
  peer_end(l, fd);
}

/* The first byte of many that are late. */
static void late_parts_are_refused(void **state) {
  (void)state;
  static const char *const parts[] = {POST "X", CHUNKED "5\r\nhel"};
  for (size_t i = 0; i < 2; i++) {
    char text[4096];
    fh_listener_options options = options_with_times();
    options.header_time = options.body_time = 0.2;
    fh_listener *l = peer_listen(&options);
    int fd = peer_dial(l);
    peer_say(fd, parts[i]);
    assert_true(peer_hear(l, fd, text, sizeof text, NULL));
    assert_memory_equal("HTTP/1.1 408 ", text, 13);
    assert_int_equal(1, fh_listener_refused(l, 408));
    close(fd);
    peer_settle(l, 0);
    fh_listener_free(l);
  }
}

static void large_bodies_come_in_chunks(void **state) {
  (void)state;
  static char body[262144], expected[262144];
  char line[32];
  fh_listener *l = listen_here();
  int fd = peer_dial(l);
  peer_say(fd, CHUNKED);
  for (size_t i = 0; i < sizeof body; i++)
    body[i] = (char)(i * 7 + i / 251);
  memcpy(expected, body, sizeof body);
  for (size_t at = 0; at < sizeof body; at += 8192) {
    snprintf(line, sizeof line, "%x\r\n", 8192);
    peer_say(fd, line);
    say_part(l, fd, body + at, 8192);
    peer_say(fd, "\r\n");
  }
  peer_say(fd, "0\r\n\r\n");
  expect_request(l, fd, expected, sizeof expected);
  fd = peer_dial(l);
  peer_say(fd, CHUNKED "40001\r\n");
  char text[4096];
  assert_true(peer_hear(l, fd, text, sizeof text, NULL));
  peer_end(l, fd);
}

/* Room is made, and the listener freed, at each stage. */
static void parts_may_be_dropped(void **state) {
  (void)state;
  static const char *const parts[] = {"PO", POST "X", CHUNKED "5\r\nhel",
                                      POST ":\n"};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    fh_listener_options options = options_with_times();
    options.connections = 1;
    fh_listener *l = peer_listen(&options);
    int fd = peer_dial(l);
    say_part(l, fd, parts[i], strlen(parts[i]));
    if (i != 2) { /* a body is not dropped for a new connection */
      int second = peer_dial(l);
      peer_say(second, PEER_GET);
      expect_request(l, second, "", 0);
      close(second);
    }
    peer_end(l, fd);
    l = listen_here();
    fd = peer_dial(l);
    say_part(l, fd, parts[i], strlen(parts[i]));
    peer_end(l, fd);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(knows_the_versions),
      cmocka_unit_test(a_head_may_come_in_pieces),
      cmocka_unit_test(a_head_ends_in_one_way),
      cmocka_unit_test(chunks_may_come_in_pieces),
      cmocka_unit_test(chunks_end_in_one_way),
      cmocka_unit_test(a_head_may_have_pages),
      cmocka_unit_test(a_method_may_have_pages),
      cmocka_unit_test(chunks_may_follow_other_requests),
      cmocka_unit_test(the_end_may_come_behind_chunks),
      cmocka_unit_test(waits_to_be_told_to_go_on),
      cmocka_unit_test(late_parts_are_refused),
      cmocka_unit_test(large_bodies_come_in_chunks),
      cmocka_unit_test(parts_may_be_dropped),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
