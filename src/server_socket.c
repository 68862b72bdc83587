#include "server_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int bind_one(const struct addrinfo *address) {
  int yes = 1;
  int fd = socket(address->ai_family,
                  SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return -1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 &&
      listen(fd, SOMAXCONN) == 0)
    return fd;
  int saved = errno;
  close(fd);
  errno = saved;
  return -1;
}

int fh_bind(const char *host, unsigned port, const char **why) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                           .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
  struct addrinfo *list = NULL;
  char service[16];
  snprintf(service, sizeof service, "%u", port);
  int failed = getaddrinfo(host, service, &hints, &list);
  if (failed) {
    *why = gai_strerror(failed);
    return -1;
  }
  int fd = -1;
  for (const struct addrinfo *at = list; at && fd < 0; at = at->ai_next)
    fd = bind_one(at);
  if (fd < 0)
    *why = strerror(errno);
  freeaddrinfo(list);
  return fd;
}

int fh_bind_inherit(int fd, const char **why) {
  int listening = 0;
  socklen_t length = sizeof listening;
  if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) == 0 &&
      listening) {
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    return fd;
  }
  *why = "it is not a listening socket";
  return -1;
}

bool fh_bind_port(int fd, unsigned *port) {
  struct sockaddr_storage address;
  socklen_t length = sizeof address;
  char service[16];
  if (getsockname(fd, (struct sockaddr *)&address, &length) != 0 ||
      getnameinfo((struct sockaddr *)&address, length, NULL, 0, service,
                  sizeof service, NI_NUMERICSERV) != 0)
    return false;
  *port = (unsigned)strtoul(service, NULL, 10);
  return true;
}
