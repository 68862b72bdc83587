/* The request as its owner sees it: server_listener.h. */
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "server_connection.h"

fh_slice fh_exchange_method(const fh_exchange *request) {
  const char *method = request->connection->method;
  return (fh_slice){method, strlen(method)};
}

fh_slice fh_exchange_target(const fh_exchange *request) {
  const fh_buffer *target = &request->connection->target;
  size_t at = fh_head_path(target->data, target->size);
  if (at == target->size) /* an absolute form without a path means the root */
    return (fh_slice){"/", 1};
  return (fh_slice){target->data + at, target->size - at};
}

fh_slice fh_exchange_body(const fh_exchange *request) {
  const fh_buffer *body = &request->connection->body;
  return (fh_slice){body->data ? body->data : "", body->size};
}

size_t fh_exchange_header_count(const fh_exchange *request) {
  return request->connection->listener->options.name_count;
}

fh_slice fh_exchange_header(const fh_exchange *request, size_t i) {
  return request->connection->headers[i];
}

bool fh_exchange_peer(const fh_exchange *request, char *text, size_t size) {
  if (!request->connection)
    return false;
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(
      request->connection->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  if (!info || !info->client_addr)
    return false;
  socklen_t length = info->client_addr->sa_family == AF_INET6
                         ? sizeof(struct sockaddr_in6)
                         : sizeof(struct sockaddr_in);
  return getnameinfo(info->client_addr, length, text, (socklen_t)size, NULL, 0,
                     NI_NUMERICHOST) == 0;
}

static struct MHD_Response *copy_body(const void *body, size_t size) {
  return MHD_create_response_from_buffer(size, (void *)(size_t)body,
                                         MHD_RESPMEM_MUST_COPY);
}

static bool is_last(const fh_connection *c) {
  return c->head.chunked || c->listener->quiet;
}

static bool add_headers(struct MHD_Response *response,
                        const char *const *headers, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (MHD_add_response_header(response, headers[2 * i],
                                headers[2 * i + 1]) != MHD_YES)
      return false;
  return true;
}

fh_reply_status fh_exchange_reply(fh_exchange *request, unsigned status,
                                  const char *const *headers, size_t count,
                                  const void *body, size_t size) {
  static const char *const close_it[] = {"Connection", "close"};
  fh_connection *c = request->connection;
  if (!c)
    return FH_REPLY_GONE;
  struct MHD_Response *response = copy_body(body, size);
  fh_reply_status result = response ? FH_REPLY_SENT : FH_REPLY_NO_MEMORY;
  if (response && (status < 200 || status > 599 ||
                   !add_headers(response, headers, count))) {
    MHD_destroy_response(response);
    response = copy_body("", 0);
    status = 500;
    result = FH_REPLY_BAD;
  }
  if (!response)
    status = 500; /* with the empty body that the listener keeps ready */
  if (response && is_last(c))
    add_headers(response, close_it, 1);
  fh_connection_reply(c, status, response);
  return result;
}

fh_reply_status fh_exchange_accept(fh_exchange *request) {
  fh_connection *c = request->connection;
  if (!c)
    return FH_REPLY_GONE;
  fh_connection_reply(
      c, 200, is_last(c) ? c->listener->accepted_last : c->listener->accepted);
  return FH_REPLY_SENT;
}

void fh_exchange_release(fh_exchange *request) {
  if (request->connection)
    fh_connection_reply(request->connection, 500, NULL);
}
