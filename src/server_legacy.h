/* libmicrohttpd before 1.0 is lenient where leniency is dangerous: a bare line
 * feed ends a line, a header line that is ":" alone ends the head, and a bad
 * Content-Length is answered twice. No callback comes between the request line
 * and the end of the head, so the lines are checked as they arrived:
 *
 * - When the request line is reported, what arrived with it lies behind it in
 *   libmicrohttpd's memory, and zeros behind that. Nearly always this is the
 *   whole head.
 * - A head that is not complete is held: libmicrohttpd reads nothing more
 *   (the connection is suspended) until the rest, which is looked at in the
 *   socket, is complete and good.
 * - libmicrohttpd must then end the head at the same byte.
 *
 * A chunked body is read here, unless it arrived with its head: the connection
 * is held, and the socket is read until the body's last byte but one. That one
 * is left to libmicrohttpd, which would take an end of the stream for the end
 * of the request.
 *
 * This belongs to server_connection.c; versions from 1.0 on check all this. */
#ifndef FH_SERVER_LEGACY_H
#define FH_SERVER_LEGACY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server_chunks.h"

struct fh_connection;

typedef struct fh_legacy {
  const char *rest; /* of the head, in libmicrohttpd's memory */
  size_t rest_size; /* as far as it had arrived with the request line */
  size_t seen;      /* bytes of the head that were looked at in the socket */
  size_t lines;     /* bytes of the header lines; 0: not complete */
  char minor;       /* of the HTTP version */
  fh_chunks chunks;
} fh_legacy;

/* Is the library that is loaded one of these? */
bool fh_legacy_is_loaded(void);

/* Checks the header lines, or holds the connection until they are complete.
 * `target` is that of the request line, where libmicrohttpd has it. */
void fh_legacy_line(struct fh_connection *c, const char *target, size_t size);

/* Is the head that libmicrohttpd has read, of `size` bytes from the method on,
 * the one that was checked? */
bool fh_legacy_head(const struct fh_connection *c, size_t size);

/* Reads the chunked body behind a head of `size` bytes. */
void fh_legacy_body(struct fh_connection *c, size_t size);

/* Acts on bytes in the socket of a connection that is held. */
void fh_legacy_readable(struct fh_connection *c);

#endif
