#include "support.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "http_sockets.h"

typedef struct sockaddr address;

/* A listener on a port that the system chose. */
static int open_listener(int *port) {
  struct sockaddr_in at = {.sin_family = AF_INET,
                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof at;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  assert_int_equal(0, bind(fd, (address *)&at, size));
  assert_int_equal(0, listen(fd, 8));
  getsockname(fd, (address *)&at, &size);
  *port = ntohs(at.sin_port);
  return fd;
}

/* A connection to `peer` from `own`, or from any port where that is 0. */
static int connect_from(int own, int peer) {
  struct sockaddr_in at = {.sin_family = AF_INET,
                           .sin_port = htons((uint16_t)own),
                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  assert_int_equal(0, bind(fd, (address *)&at, sizeof at));
  at.sin_port = htons((uint16_t)peer);
  assert_int_equal(0, connect(fd, (address *)&at, sizeof at));
  return fd;
}

static int port_of(int fd) {
  struct sockaddr_in at;
  socklen_t size = sizeof at;
  getsockname(fd, (address *)&at, &size);
  return ntohs(at.sin_port);
}

static void finds_a_connection_by_its_ends(void **state) {
  (void)state;
  int first_port, second_port;
  int first = open_listener(&first_port), second = open_listener(&second_port);
  int one = connect_from(0, first_port);
  int own = port_of(one);
  int other = connect_from(own, second_port); /* the same port of ours */
  fh_sockets sockets = {0};
  fh_sockets_add(&sockets, one);
  fh_sockets_add(&sockets, other);
  fh_ends ends = {"127.0.0.1", first_port, own};
  assert_int_equal(one, fh_sockets_find(&sockets, &ends)->fd);
  ends.peer = second_port;
  assert_int_equal(other, fh_sockets_find(&sockets, &ends)->fd);
  ends.address = "127.0.0.2";
  assert_null(fh_sockets_find(&sockets, &ends));
  ends = (fh_ends){"127.0.0.1", first_port, own == 1 ? 2 : 1};
  assert_null(fh_sockets_find(&sockets, &ends));
  fh_sockets_drop(&sockets, one);
  ends = (fh_ends){"127.0.0.1", first_port, own};
  assert_null(fh_sockets_find(&sockets, &ends));
  fh_sockets_free(&sockets);
  fh_sockets_free(&sockets);
  close(one), close(other), close(first), close(second);
}

static void keeps_any_number_of_sockets(void **state) {
  (void)state;
  fh_sockets sockets = {0};
  for (int fd = 1000; fd < 1100; fd++)
    fh_sockets_add(&sockets, fd);
  assert_int_equal(100, sockets.count);
  for (int fd = 1099; fd >= 1000; fd--)
    fh_sockets_drop(&sockets, fd);
  fh_sockets_drop(&sockets, 1000);
  assert_int_equal(0, sockets.count);
  fh_sockets_free(&sockets);
}

/* A connection's two descriptors. */
static void open_pair(int pair[2]) {
  int port, listener = open_listener(&port);
  pair[0] = connect_from(0, port);
  pair[1] = accept(listener, NULL, NULL);
  close(listener);
}

static void sees_the_end_of_a_connection(void **state) {
  (void)state;
  int pair[2];
  open_pair(pair);
  assert_false(fh_socket_has_ended(pair[0], false));
  assert_false(fh_socket_has_ended(pair[0], true));
  assert_int_equal(1, send(pair[1], "x", 1, 0)); /* as a TLS alert */
  assert_true(fh_socket_has_ended(pair[0], false));
  assert_true(fh_socket_has_ended(pair[0], false));
  assert_false(fh_socket_has_ended(pair[0], true));
  close(pair[1]);
  assert_true(fh_socket_has_ended(pair[0], false));
  assert_true(fh_socket_has_ended(pair[0], true)); /* behind what came */
  close(pair[0]);
  open_pair(pair);
  close(pair[1]);
  assert_true(fh_socket_has_ended(pair[0], false));
  assert_true(fh_socket_has_ended(pair[0], true));
  close(pair[0]);
}

static void sees_a_reset(void **state) {
  (void)state;
  int pair[2];
  struct linger none = {.l_onoff = 1, .l_linger = 0};
  open_pair(pair);
  setsockopt(pair[1], SOL_SOCKET, SO_LINGER, &none, sizeof none);
  close(pair[1]);
  assert_true(fh_socket_has_ended(pair[0], false));
  assert_true(fh_socket_has_ended(pair[0], true));
  close(pair[0]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(finds_a_connection_by_its_ends),
      cmocka_unit_test(keeps_any_number_of_sockets),
      cmocka_unit_test(sees_the_end_of_a_connection),
      cmocka_unit_test(sees_a_reset),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
