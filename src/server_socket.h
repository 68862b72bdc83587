/* Listening sockets: non-blocking, closed on exec, for streams. */
#ifndef FH_SERVER_SOCKET_H
#define FH_SERVER_SOCKET_H

#include <stdbool.h>

/* Binds to the first address of a name or address, and listens. -1 on failure,
 * with the reason in `why`. */
int fh_bind(const char *host, unsigned port, const char **why);

/* Makes ready a listening socket that another program bound. -1 where it is
 * none, with the reason in `why`: a descriptor that was named by mistake is
 * somebody else's, and left alone. */
int fh_bind_inherit(int fd, const char **why);

/* The port that is bound. */
bool fh_bind_port(int fd, unsigned *port);

#endif
