#include "support.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include "http_address.h"

static bool by_socket(const char *text) {
  struct sockaddr_in in = {.sin_family = AF_INET};
  struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
  if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
    return fh_address_is_public((struct sockaddr *)&in);
  assert_int_equal(1, inet_pton(AF_INET6, text, &in6.sin6_addr));
  return fh_address_is_public((struct sockaddr *)&in6);
}

static void expect(bool expected, const char *const *list) {
  for (; *list; list++)
    if (by_socket(*list) != expected ||
        fh_address_text_is_public(*list) != expected)
      fail_msg("%s is %spublic", *list, expected ? "" : "not ");
}

static void knows_what_everybody_reaches(void **state) {
  (void)state;
  static const char *const list[] = {"1.1.1.1",
                                     "9.255.255.255",
                                     "11.0.0.0",
                                     "100.63.255.255",
                                     "100.128.0.0",
                                     "126.255.255.255",
                                     "128.0.0.0",
                                     "169.253.255.255",
                                     "169.255.0.0",
                                     "172.15.255.255",
                                     "172.32.0.0",
                                     "192.0.1.0",
                                     "192.167.255.255",
                                     "192.169.0.0",
                                     "198.17.255.255",
                                     "198.20.0.0",
                                     "223.255.255.255",
                                     "2600::1",
                                     "2001:4860::8888",
                                     "3fff:ffff::1",
                                     "2001:200::1",
                                     "::ffff:8.8.8.8",
                                     "64:ff9b::8.8.8.8",
                                     "2002:808:808::1",
                                     NULL};
  expect(true, list);
}

static void knows_what_is_reserved(void **state) {
  (void)state;
  static const char *const list[] = {"0.0.0.0",
                                     "0.255.255.255",
                                     "10.0.0.0",
                                     "10.255.255.255",
                                     "100.64.0.0",
                                     "100.127.255.255",
                                     "127.0.0.1",
                                     "127.255.255.255",
                                     "169.254.169.254",
                                     "172.16.0.0",
                                     "172.31.255.255",
                                     "192.0.0.1",
                                     "192.0.2.1",
                                     "192.168.0.1",
                                     "192.168.255.255",
                                     "198.18.0.1",
                                     "198.19.255.255",
                                     "198.51.100.7",
                                     "203.0.113.9",
                                     "224.0.0.1",
                                     "240.0.0.1",
                                     "255.255.255.255",
                                     "::",
                                     "::1",
                                     "fe80::1",
                                     "fc00::1",
                                     "fdff::1",
                                     "ff02::1",
                                     "2001:db8::1",
                                     "2001::1",
                                     "2001:1ff::1",
                                     "::7f00:1",
                                     "100::1",
                                     "4000::1",
                                     "::ffff:127.0.0.1",
                                     "::ffff:10.1.2.3",
                                     "64:ff9b::192.168.0.1",
                                     "2002:7f00:1::",
                                     "64:ff9b:1::8.8.8.8",
                                     NULL};
  expect(false, list);
}

static void takes_nothing_else_for_public(void **state) {
  (void)state;
  struct sockaddr_un local = {.sun_family = AF_UNIX};
  assert_false(fh_address_is_public((struct sockaddr *)&local));
  assert_false(fh_address_text_is_public(""));
  assert_false(fh_address_text_is_public("company.example"));
  assert_false(fh_address_text_is_public("8.8.8.8.8"));
  assert_false(fh_address_text_is_public("/run/socket"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(knows_what_everybody_reaches),
      cmocka_unit_test(knows_what_is_reserved),
      cmocka_unit_test(takes_nothing_else_for_public),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
