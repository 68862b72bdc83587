#include "http_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* --- IPv4 ---------------------------------------------------------------- */

typedef struct block4 {
  uint32_t first; /* in the machine's order */
  unsigned bits;  /* of the prefix */
} block4;

#define IPV4(a, b, c)                                                         \
  ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8)

/* The IANA's special-purpose registry; those that are not reachable. */
static const block4 reserved4[] = {
    {IPV4(0, 0, 0), 8},       /* this network */
    {IPV4(10, 0, 0), 8},      /* private */
    {IPV4(100, 64, 0), 10},   /* shared: a provider's own */
    {IPV4(127, 0, 0), 8},     /* loopback */
    {IPV4(169, 254, 0), 16},  /* link-local, a cloud's metadata among them */
    {IPV4(172, 16, 0), 12},   /* private */
    {IPV4(192, 0, 0), 24},    /* protocol assignments */
    {IPV4(192, 0, 2), 24},    /* documentation */
    {IPV4(192, 168, 0), 16},  /* private */
    {IPV4(198, 18, 0), 15},   /* benchmarks */
    {IPV4(198, 51, 100), 24}, /* documentation */
    {IPV4(203, 0, 113), 24},  /* documentation */
    {IPV4(224, 0, 0), 3},     /* multicast, reserved, broadcast */
};

static bool is_public4(uint32_t address) {
  for (size_t i = 0; i < sizeof reserved4 / sizeof *reserved4; i++)
    if ((address ^ reserved4[i].first) >> (32 - reserved4[i].bits) == 0)
      return false;
  return true;
}

static bool is_public4_at(const unsigned char *bytes) {
  return is_public4(IPV4(bytes[0], bytes[1], bytes[2]) | bytes[3]);
}

/* --- IPv6 ---------------------------------------------------------------- */

/* Where an IPv6 address carries one of IPv4, or NULL. */
static const unsigned char *carried(const unsigned char *bytes) {
  static const struct {
    unsigned char prefix[12];
    size_t size;
  } carriers[] = {
      {{[10] = 0xff, [11] = 0xff}, 12}, /* ::ffff:0:0/96 mapped */
      {{0x00, 0x64, 0xff, 0x9b}, 12},   /* 64:ff9b::/96 translated */
      {{0x20, 0x02}, 2},                /* 2002::/16 6to4 */
  };
  for (size_t i = 0; i < sizeof carriers / sizeof *carriers; i++)
    if (memcmp(bytes, carriers[i].prefix, carriers[i].size) == 0)
      return bytes + carriers[i].size;
  return NULL;
}

/* Of the rest, what is reachable is in 2000::/3, except for documentation and
 * 2001::/23, protocol assignments. */
static bool is_public6(const unsigned char *bytes) {
  const unsigned char *inner = carried(bytes);
  if (inner)
    return is_public4_at(inner);
  if (bytes[0] >> 5 != 1)
    return false;
  bool assigned = bytes[0] == 0x20 && bytes[1] == 0x01;
  bool documentation = assigned && bytes[2] == 0x0d && bytes[3] == 0xb8;
  return !documentation && !(assigned && bytes[2] < 2);
}

/* --- either -------------------------------------------------------------- */

bool fh_address_is_public(const struct sockaddr *address) {
  /* The caller's memory is of that family, whatever its declared type. */
  const void *whole = address;
  if (address->sa_family == AF_INET) {
    const struct sockaddr_in *in = whole;
    return is_public4(ntohl(in->sin_addr.s_addr));
  }
  if (address->sa_family == AF_INET6) {
    const struct sockaddr_in6 *in6 = whole;
    return is_public6(in6->sin6_addr.s6_addr);
  }
  return false;
}

bool fh_address_text_is_public(const char *text) {
  struct in_addr in;
  struct in6_addr in6;
  if (inet_pton(AF_INET, text, &in) == 1)
    return is_public4(ntohl(in.s_addr));
  return inet_pton(AF_INET6, text, &in6) == 1 && is_public6(in6.s6_addr);
}
