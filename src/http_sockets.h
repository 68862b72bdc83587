/* The sockets of a pool's connections: which one a connection has, which
 * requests go out on it, and whether its peer has ended it. libcurl tells of a
 * connection no more than its addresses before it sends a request. */
#ifndef FH_HTTP_SOCKETS_H
#define FH_HTTP_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>

/* A request's stay on a socket; zeroed: on none. It stays in place. */
typedef struct fh_visit {
  unsigned long id; /* of the socket; 0: none */
  bool joined;      /* another request came to the socket meanwhile */
} fh_visit;

typedef struct fh_socket {
  unsigned long id;
  int fd;          /* borrowed; dropped before it is closed */
  int port;        /* its own; 0 while that is not known */
  unsigned visits; /* requests that are on it */
  fh_visit *first; /* the one that came first; NULL once it has left */
} fh_socket;

typedef struct fh_sockets { /* zeroed: none */
  fh_socket *list;
  size_t count, capacity;
  unsigned long last_id;
  size_t waiting; /* requests that wait for a connection of their own */
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

/* Returns the socket of the connection between these ends, or NULL. It is
 * valid until a socket is added or dropped. */
fh_socket *fh_sockets_find(fh_sockets *sockets, const fh_ends *ends);

/* Begins a visit, which the first on the socket learns of; NULL: a request
 * that does not stay. */
void fh_sockets_enter(fh_socket *at, fh_visit *visit);

/* Ends a visit; `sockets` may be NULL where there is none. */
void fh_sockets_leave(fh_sockets *sockets, fh_visit *visit);

/* Has the peer ended the connection? On one that idles and has no streams,
 * whatever can be read announces the end, as a TLS alert does. */
bool fh_socket_has_ended(int fd, bool has_streams);

#endif
