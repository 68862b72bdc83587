#include "redis_client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define OUTPUT_LIMIT ((size_t)64 * 1024 * 1024)
#define READ_AT_ONCE ((size_t)1024 * 1024)

static fh_redis_status fail(fh_redis *redis, fh_redis_status status,
                            const char *message) {
  redis->failed = status;
  snprintf(redis->message, sizeof redis->message, "%s", message);
  return status;
}

fh_redis_status fh_redis_open(fh_redis *redis, const char *host, int port) {
  fh_buffer_init(&redis->output, OUTPUT_LIMIT);
  redisContext *context = redisConnectNonBlock(host, port);
  if (!context)
    return fail(redis, FH_REDIS_NO_MEMORY, "out of memory");
  if (context->err) {
    fail(redis, FH_REDIS_CONNECT, context->errstr);
    redisFree(context);
    return FH_REDIS_CONNECT;
  }
  redis->fd = redisFreeKeepFd(context);
  redis->reader = redisReaderCreate();
  if (!redis->reader) {
    close(redis->fd);
    return fail(redis, FH_REDIS_NO_MEMORY, "out of memory");
  }
  return FH_REDIS_OK;
}

/* "*3\r\n", "$11\r\n" */
static fh_buffer_status put_count(fh_buffer *out, char mark, size_t count) {
  char text[24];
  char *at = text + sizeof text;
  *--at = '\n';
  *--at = '\r';
  do {
    *--at = (char)('0' + count % 10);
    count /= 10;
  } while (count > 0);
  *--at = mark;
  return fh_buffer_append(out, at, (size_t)(text + sizeof text - at));
}

static fh_buffer_status put_value(fh_buffer *out, const char *value,
                                  size_t size) {
  fh_buffer_status status = put_count(out, '$', size);
  if (status == FH_BUFFER_OK)
    status = fh_buffer_append(out, value, size);
  if (status == FH_BUFFER_OK)
    status = fh_buffer_append(out, "\r\n", 2);
  return status;
}

fh_redis_status fh_redis_append(fh_redis *redis, int count,
                                const char **values, const size_t *sizes) {
  if (redis->failed)
    return redis->failed;
  size_t before = redis->output.size;
  fh_buffer_status status = put_count(&redis->output, '*', (size_t)count);
  for (int i = 0; i < count && status == FH_BUFFER_OK; i++)
    status = put_value(&redis->output, values[i], sizes[i]);
  if (status == FH_BUFFER_OK)
    return FH_REDIS_OK;
  redis->output.size = before;
  return status == FH_BUFFER_FULL ? FH_REDIS_TOO_LARGE : FH_REDIS_NO_MEMORY;
}

/* A failed connect shows at the first write or read. */
static fh_redis_status io_error(fh_redis *redis) {
  bool unreached = errno == ECONNREFUSED || errno == EHOSTUNREACH ||
                   errno == ENETUNREACH || errno == ETIMEDOUT;
  return fail(redis, unreached ? FH_REDIS_CONNECT : FH_REDIS_CLOSED,
              strerror(errno));
}

fh_redis_status fh_redis_flush(fh_redis *redis) {
  if (redis->failed)
    return redis->failed;
  size_t sent = 0;
  while (sent < redis->output.size) {
    ssize_t n = send(redis->fd, redis->output.data + sent,
                     redis->output.size - sent, MSG_NOSIGNAL);
    if (n > 0)
      sent += (size_t)n;
    else if (errno == EAGAIN || errno == ENOTCONN)
      break;
    else if (errno != EINTR)
      return io_error(redis);
  }
  fh_buffer_consume(&redis->output, sent);
  return redis->output.size > 0 ? FH_REDIS_AGAIN : FH_REDIS_OK;
}

/* What the parser says, which fails for want of memory too. */
static fh_redis_status parser_error(fh_redis *redis) {
  return fail(redis,
              redis->reader->err == REDIS_ERR_OOM ? FH_REDIS_NO_MEMORY
                                                  : FH_REDIS_PROTOCOL,
              redis->reader->errstr);
}

static fh_redis_status feed(fh_redis *redis, const char *data, size_t size) {
  const char *wrong = fh_resp_check(&redis->check, data, size);
  if (wrong)
    return fail(redis, FH_REDIS_PROTOCOL, wrong);
  if (redisReaderFeed(redis->reader, data, size) != REDIS_OK)
    return parser_error(redis);
  return FH_REDIS_OK;
}

fh_redis_status fh_redis_read(fh_redis *redis) {
  char chunk[16384];
  size_t taken = 0;
  while (!redis->failed && taken < READ_AT_ONCE) {
    ssize_t n = recv(redis->fd, chunk, sizeof chunk, 0);
    if (n == 0)
      return fail(redis, FH_REDIS_CLOSED, "Redis closed the connection");
    if (n < 0 && (errno == EAGAIN || errno == ENOTCONN))
      return FH_REDIS_OK;
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return io_error(redis);
    taken += (size_t)n;
    feed(redis, chunk, (size_t)n);
  }
  return redis->failed ? redis->failed : FH_REDIS_AGAIN;
}

static void drop_reply(fh_redis *redis) {
  if (redis->reply)
    freeReplyObject(redis->reply);
  redis->reply = NULL;
}

fh_redis_status fh_redis_next(fh_redis *redis, const redisReply **reply) {
  void *parsed = NULL;
  drop_reply(redis);
  if (redisReaderGetReply(redis->reader, &parsed) != REDIS_OK)
    return parser_error(redis);
  redis->reply = parsed;
  *reply = parsed;
  if (parsed)
    return FH_REDIS_OK;
  return redis->failed ? redis->failed : FH_REDIS_AGAIN;
}

void fh_redis_close(fh_redis *redis) {
  drop_reply(redis);
  if (redis->reader) {
    redisReaderFree(redis->reader);
    close(redis->fd);
  }
  redis->reader = NULL;
  fh_buffer_free(&redis->output);
}
