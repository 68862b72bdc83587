/* The bare libmicrohttpd that bench/server.sh compares with: one thread, an
 * epoll loop of our own around the library's, the same memory for each
 * connection. It reads the body and answers 200 with {}. */
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

typedef struct request {
  size_t size;
  char body[65536];
} request;

static struct MHD_Response *answer;

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection,
                                  const char *url, const char *method,
                                  const char *version, const char *data,
                                  size_t *size, void **context) {
  request *self = *context;
  (void)cls;
  (void)url;
  (void)method;
  (void)version;
  if (!self) {
    *context = malloc(sizeof *self);
    if (*context)
      ((request *)*context)->size = 0;
    return *context ? MHD_YES : MHD_NO;
  }
  if (*size == 0)
    return MHD_queue_response(connection, 200, answer);
  if (*size > sizeof self->body - self->size)
    return MHD_NO;
  memcpy(self->body + self->size, data, *size);
  self->size += *size;
  *size = 0;
  return MHD_YES;
}

static void on_completed(void *cls, struct MHD_Connection *connection,
                         void **context,
                         enum MHD_RequestTerminationCode code) {
  (void)cls;
  (void)connection;
  (void)code;
  free(*context);
}

static void serve(struct MHD_Daemon *daemon) {
  struct epoll_event event = {.events = EPOLLIN};
  int library =
      MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
  int own = epoll_create1(0);
  epoll_ctl(own, EPOLL_CTL_ADD, library, &event);
  for (;;) {
    unsigned long long wait;
    int limit = MHD_get_timeout(daemon, &wait) == MHD_YES ? (int)wait : -1;
    epoll_wait(own, &event, 1, limit);
    MHD_run(daemon);
  }
}

int main(void) {
  static char body[] = "{}";
  struct sockaddr_in address = {.sin_family = AF_INET};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  answer = MHD_create_response_from_buffer(sizeof body - 1, body,
                                           MHD_RESPMEM_PERSISTENT);
  MHD_add_response_header(answer, "Content-Type", "application/json");
  struct MHD_Daemon *daemon = MHD_start_daemon(
      MHD_USE_EPOLL, 0, NULL, NULL, on_request, NULL, /* all else: options */
      MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
      (size_t)48 * 1024, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
      MHD_OPTION_END);
  if (!daemon)
    return 1;
  printf("ready %u\n",
         MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
  fflush(stdout);
  serve(daemon);
}
