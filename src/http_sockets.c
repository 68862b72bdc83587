#include "http_sockets.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { FIRST_SOCKETS = 8 };

void fh_sockets_add(fh_sockets *sockets, int fd) {
  if (sockets->count == sockets->capacity) {
    size_t capacity =
        sockets->capacity ? 2 * sockets->capacity : FIRST_SOCKETS;
    fh_socket *list = realloc(sockets->list, capacity * sizeof *list);
    if (!list)
      return;
    sockets->list = list;
    sockets->capacity = capacity;
  }
  fh_socket added = {.id = ++sockets->last_id, .fd = fd};
  sockets->list[sockets->count++] = added;
}

void fh_sockets_drop(fh_sockets *sockets, int fd) {
  for (size_t i = 0; i < sockets->count; i++)
    if (sockets->list[i].fd == fd) {
      sockets->list[i] = sockets->list[--sockets->count];
      return;
    }
}

void fh_sockets_free(fh_sockets *sockets) {
  free(sockets->list);
  *sockets = (fh_sockets){0};
}

/* Reads an address as text and port; the port is 0 for any other family. */
static int read_address(const struct sockaddr_storage *from,
                        char text[INET6_ADDRSTRLEN]) {
  const void *whole = from; /* of that family, whatever its declared type */
  text[0] = '\0';
  if (from->ss_family == AF_INET) {
    const struct sockaddr_in *in = whole;
    inet_ntop(AF_INET, &in->sin_addr, text, INET6_ADDRSTRLEN);
    return ntohs(in->sin_port);
  }
  if (from->ss_family == AF_INET6) {
    const struct sockaddr_in6 *in6 = whole;
    inet_ntop(AF_INET6, &in6->sin6_addr, text, INET6_ADDRSTRLEN);
    return ntohs(in6->sin6_port);
  }
  return 0;
}

static int own_port(int fd) {
  struct sockaddr_storage own = {0};
  socklen_t size = sizeof own;
  char text[INET6_ADDRSTRLEN];
  return getsockname(fd, (struct sockaddr *)&own, &size) == 0
             ? read_address(&own, text)
             : 0;
}

/* Two connections may have one port of ours, with different peers. */
static bool has_peer(int fd, const fh_ends *ends) {
  struct sockaddr_storage peer = {0};
  socklen_t size = sizeof peer;
  char text[INET6_ADDRSTRLEN];
  return getpeername(fd, (struct sockaddr *)&peer, &size) == 0 &&
         read_address(&peer, text) == ends->peer &&
         strcmp(text, ends->address) == 0;
}

fh_socket *fh_sockets_find(fh_sockets *sockets, const fh_ends *ends) {
  for (size_t i = 0; i < sockets->count; i++) {
    fh_socket *each = &sockets->list[i];
    if (each->port == 0)
      each->port = own_port(each->fd);
    if (each->port == ends->own && has_peer(each->fd, ends))
      return each;
  }
  return NULL;
}

void fh_sockets_enter(fh_socket *at, fh_visit *visit) {
  if (at->first)
    at->first->joined = true;
  if (!visit)
    return;
  *visit = (fh_visit){.id = at->id};
  if (at->visits++ == 0)
    at->first = visit;
}

void fh_sockets_leave(fh_sockets *sockets, fh_visit *visit) {
  for (size_t i = 0; visit->id && i < sockets->count; i++) {
    fh_socket *each = &sockets->list[i];
    if (each->id != visit->id)
      continue;
    each->visits--;
    if (each->first == visit)
      each->first = NULL;
  }
  *visit = (fh_visit){0};
}

bool fh_socket_has_ended(int fd, bool has_streams) {
  struct pollfd look = {.fd = fd};
  look.events = has_streams ? POLLRDHUP : POLLRDHUP | POLLIN;
  return poll(&look, 1, 0) == 1;
}
