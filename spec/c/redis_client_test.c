#include "support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "redis_client.h"

/* A connection, and the other end of it. */
typedef struct pair {
  fh_redis redis;
  int peer;
} pair;

static void connect_pair(pair *p) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t size = sizeof address;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  assert_int_equal(0, bind(listener, (struct sockaddr *)&address, size));
  assert_int_equal(0, listen(listener, 1));
  getsockname(listener, (struct sockaddr *)&address, &size);
  memset(p, 0, sizeof *p);
  assert_int_equal(FH_REDIS_OK, fh_redis_open(&p->redis, "127.0.0.1",
                                              ntohs(address.sin_port)));
  p->peer = accept(listener, NULL, NULL);
  assert_true(p->peer >= 0);
  close(listener);
}

static void disconnect(pair *p) {
  fh_redis_close(&p->redis);
  fh_redis_close(&p->redis);
  close(p->peer);
}

static void wait_readable(const pair *p) {
  struct pollfd fd = {.fd = p->redis.fd, .events = POLLIN};
  assert_int_equal(1, poll(&fd, 1, 5000));
}

static fh_redis_status answer(pair *p, const char *bytes) {
  assert_int_equal(strlen(bytes), write(p->peer, bytes, strlen(bytes)));
  wait_readable(p);
  return fh_redis_read(&p->redis);
}

static void sends_commands_with_their_sizes(void **state) {
  (void)state;
  pair p;
  connect_pair(&p);
  const char *values[] = {"ECHO", "a\0b"};
  size_t sizes[] = {4, 3};
  assert_int_equal(FH_REDIS_OK, fh_redis_append(&p.redis, 2, values, sizes));
  assert_int_equal(FH_REDIS_OK, fh_redis_flush(&p.redis));
  static const char expected[] = "*2\r\n$4\r\nECHO\r\n$3\r\na\0b\r\n";
  char got[64];
  assert_int_equal(sizeof expected - 1, read(p.peer, got, sizeof got));
  assert_memory_equal(expected, got, sizeof expected - 1);
  disconnect(&p);
}

static void hands_out_whole_replies_only(void **state) {
  (void)state;
  pair p;
  const redisReply *reply = NULL;
  connect_pair(&p);
  assert_int_equal(FH_REDIS_OK, answer(&p, "*2\r\n:1\r\n$5\r\nhe"));
  assert_int_equal(FH_REDIS_AGAIN, fh_redis_next(&p.redis, &reply));
  assert_int_equal(FH_REDIS_OK, answer(&p, "llo\r\n-ERR"));
  assert_int_equal(FH_REDIS_OK, fh_redis_next(&p.redis, &reply));
  assert_int_equal(2, reply->elements);
  assert_string_equal("hello", reply->element[1]->str);
  assert_int_equal(FH_REDIS_AGAIN, fh_redis_next(&p.redis, &reply));
  disconnect(&p);
}

static void stays_failed(void **state) {
  (void)state;
  pair p;
  const char *values[] = {"PING"};
  size_t sizes[] = {4};
  connect_pair(&p);
  assert_int_equal(FH_REDIS_PROTOCOL, answer(&p, "*-2\r\n"));
  assert_int_equal(FH_REDIS_PROTOCOL,
                   fh_redis_append(&p.redis, 1, values, sizes));
  assert_int_equal(FH_REDIS_PROTOCOL, fh_redis_flush(&p.redis));
  assert_int_equal(FH_REDIS_PROTOCOL, fh_redis_read(&p.redis));
  assert_true(strlen(p.redis.message) > 0);
  disconnect(&p);
}

/* What came before the end is taken before the end. */
static void ends_after_the_last_reply(void **state) {
  (void)state;
  pair p;
  const redisReply *reply = NULL;
  connect_pair(&p);
  assert_int_equal(5, write(p.peer, "+OK\r\n", 5));
  shutdown(p.peer, SHUT_WR);
  wait_readable(&p);
  while (fh_redis_read(&p.redis) == FH_REDIS_OK)
    wait_readable(&p);
  assert_int_equal(FH_REDIS_OK, fh_redis_next(&p.redis, &reply));
  assert_int_equal(FH_REDIS_CLOSED, fh_redis_next(&p.redis, &reply));
  disconnect(&p);
}

/* Whatever the parser would build. */
static void refuses_depth(void **state) {
  (void)state;
  pair p;
  connect_pair(&p);
  char deep[4 * 20 + 1] = "";
  for (int i = 0; i < 20; i++)
    memcpy(deep + 4 * i, "*1\r\n", 5);
  assert_int_equal(FH_REDIS_PROTOCOL, answer(&p, deep));
  assert_string_equal("arrays that are nested too deep", p.redis.message);
  disconnect(&p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sends_commands_with_their_sizes),
      cmocka_unit_test(hands_out_whole_replies_only),
      cmocka_unit_test(stays_failed),
      cmocka_unit_test(ends_after_the_last_reply),
      cmocka_unit_test(refuses_depth),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
