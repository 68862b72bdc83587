#include "support.h"

#include <fcntl.h>
#include <sys/socket.h>

#include "server_socket.h"

static void binds_and_tells_its_port(void **state) {
  (void)state;
  static const char *const hosts[] = {"127.0.0.1", "localhost", "::1"};
  const char *why = NULL;
  unsigned port = 0;
  for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
    int fd = fh_bind(hosts[i], 0, &why);
    if (fd < 0 && i > 0)
      continue; /* a machine without /etc/hosts or without IPv6 */
    assert_true(fd >= 0);
    assert_true(fh_bind_port(fd, &port));
    assert_true(port > 0 && port < 65536);
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    close(fd);
  }
}

static void says_why_it_cannot(void **state) {
  (void)state;
  const char *why = NULL;
  unsigned port = 0;
  int fd = fh_bind("127.0.0.1", 0, &why);
  assert_true(fh_bind_port(fd, &port));
  assert_int_equal(-1, fh_bind("127.0.0.1", port, &why));
  assert_string_equal("Address already in use", why);
  close(fd);
  why = NULL;
  assert_int_equal(-1, fh_bind("no.such.host.invalid", 0, &why));
  assert_non_null(why);
  why = NULL;
  assert_int_equal(-1, fh_bind("192.0.2.1", 0, &why));
  assert_non_null(why);
}

static void takes_over_a_listening_socket_alone(void **state) {
  (void)state;
  const char *why = NULL;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  assert_int_equal(-1, fh_bind_inherit(fd, &why));
  assert_string_equal("it is not a listening socket", why);
  assert_int_equal(0, listen(fd, 5)); /* it was left open */
  assert_int_equal(fd, fh_bind_inherit(fd, &why));
  assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
  assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
  close(fd);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(binds_and_tells_its_port),
      cmocka_unit_test(says_why_it_cannot),
      cmocka_unit_test(takes_over_a_listening_socket_alone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
