/* The sockets of a pool's connections: which one a connection has, and whether
 * its peer has ended it while it idled. libcurl tells of a connection no more
 * than its addresses before it sends a request. */
#ifndef FH_SOCKETS_H
#define FH_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct fh_socket {
  int fd;   /* borrowed; dropped before it is closed */
  int port; /* its own; 0 while that is not known */
} fh_socket;

typedef struct fh_sockets { /* zeroed: none */
  fh_socket *list;
  size_t count, capacity;
} fh_sockets;

/* Adds a socket; without memory it is one that is not found. */
void fh_sockets_add(fh_sockets *sockets, int fd);
void fh_sockets_drop(fh_sockets *sockets, int fd);
void fh_sockets_free(fh_sockets *sockets); /* idempotent; closes nothing */

/* The two ends of a connection, as libcurl names them. */
typedef struct fh_ends {
  const char *address; /* of the peer, as inet_ntop writes it */
  int peer;            /* port */
  int own;             /* port */
} fh_ends;

/* Returns the descriptor of the connection between these ends, or -1. */
int fh_sockets_find(fh_sockets *sockets, const fh_ends *ends);

/* Has the peer ended the connection? On one that idles and has no streams,
 * whatever can be read announces the end, as a TLS alert does. */
bool fh_socket_has_ended(int fd, bool has_streams);

#endif
