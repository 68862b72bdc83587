/* Which addresses are nobody's but this machine's or this network's: a name
 * of the public internet that stands for one of them is a mistake, or a trick
 * to make us ask a service that strangers cannot reach. */
#ifndef FH_HTTP_ADDRESS_H
#define FH_HTTP_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/* Is it a host that the whole internet can reach? False for what is reserved
 * (RFC 6890: loopback, private, shared, link-local, multicast, …) and for
 * families other than IPv4 and IPv6. An IPv6 address that carries one of IPv4
 * is judged by that. */
bool fh_address_is_public(const struct sockaddr *address);

/* The same for an address as text; false for what is none. */
bool fh_address_text_is_public(const char *text);

#endif
