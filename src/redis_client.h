/* One connection to Redis that never blocks: commands are appended, flushed as
 * far as the socket takes them, and replies come out in their order. hiredis
 * connects and parses; reading and writing are ours, because its own would
 * raise SIGPIPE and have no caps.
 *
 * A connection that failed stays failed: close it and open another. Names are
 * looked up while opening, which waits; addresses are not. */
#ifndef FH_REDIS_CLIENT_H
#define FH_REDIS_CLIENT_H

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stddef.h>

#include "util_buffer.h"
#include "redis_reply.h"

typedef enum fh_redis_status {
  FH_REDIS_OK,
  FH_REDIS_AGAIN,    /* more to write, or nothing to read yet */
  FH_REDIS_CONNECT,  /* could not be reached */
  FH_REDIS_CLOSED,   /* the connection ended */
  FH_REDIS_PROTOCOL, /* these bytes are no reply we take */
  FH_REDIS_TOO_LARGE,
  FH_REDIS_NO_MEMORY,
} fh_redis_status;

typedef struct fh_redis {
  int fd;
  redisReader *reader;
  redisReply *reply; /* the one handed out last; ours to free */
  fh_buffer output;
  fh_resp check;
  fh_redis_status failed; /* FH_REDIS_OK while it works */
  char message[128];      /* what went wrong, without secrets */
} fh_redis;

/* Begins to connect; the socket becomes writable when it is done. */
fh_redis_status fh_redis_open(fh_redis *redis, const char *host, int port);

/* Copies one command to the output. Fails with FH_REDIS_TOO_LARGE, and changes
 * nothing, where more than 64 MiB would wait to be sent. */
fh_redis_status fh_redis_append(fh_redis *redis, int count,
                                const char **values, const size_t *sizes);

/* Writes what the socket takes; FH_REDIS_AGAIN where some is left. */
fh_redis_status fh_redis_flush(fh_redis *redis);

/* Reads what has come, up to 1 MiB at a time; FH_REDIS_OK where that was all.
 */
fh_redis_status fh_redis_read(fh_redis *redis);

/* The next whole reply, or FH_REDIS_AGAIN. It lives until the next call. */
fh_redis_status fh_redis_next(fh_redis *redis, const redisReply **reply);

/* Idempotent; works on a zeroed struct. */
void fh_redis_close(fh_redis *redis);

#endif
