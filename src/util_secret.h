/* Bytes that are wiped before their memory is given back: tokens, passwords,
 * Authorization values. A secret owns its memory; `data` is followed by a NUL
 * that `size` does not count. A zeroed fh_secret is a valid empty one. */
#ifndef FH_UTIL_SECRET_H
#define FH_UTIL_SECRET_H

#include <stdbool.h>
#include <stddef.h>

typedef struct fh_secret {
  char *data;
  size_t size;
} fh_secret;

/* What can be wrong with the parts of a credential. */
typedef enum fh_secret_status {
  FH_SECRET_OK,
  FH_SECRET_COLON,   /* a user name with a colon would move the border */
  FH_SECRET_CONTROL, /* a control character would split the header */
  FH_SECRET_EMPTY,
  FH_SECRET_LONG,
  FH_SECRET_NO_MEMORY,
} fh_secret_status;

/* The longest user name, password or token, in bytes. */
#define FH_SECRET_MAX 8192

/* Each fills `secret`, which is left empty on failure. Inputs are borrowed. */
fh_secret_status fh_secret_set(fh_secret *secret, const char *data,
                               size_t size);
/* "Basic " and base64 of user:password. */
fh_secret_status fh_secret_basic(fh_secret *secret, const char *user,
                                 size_t user_size, const fh_secret *password);
/* "Bearer " and the token. */
fh_secret_status fh_secret_bearer(fh_secret *secret, const fh_secret *token);

/* `prefix` followed by `tail`, for a header line. False when out of memory. */
bool fh_secret_join(fh_secret *secret, const char *prefix,
                    const fh_secret *tail);

/* Where in `text` the secret stands, or NULL: a whole Authorization value is
 * looked for without its scheme. `found` gets the length. Secrets shorter than
 * FH_SECRET_HIDDEN are words of every message and are never found. */
#define FH_SECRET_HIDDEN 8
const char *fh_secret_find(const fh_secret *secret, const char *text,
                           size_t size, size_t *found);

/* True where a byte below 0x20 or 0x7f is among the `size` bytes. */
bool fh_has_control(const char *data, size_t size);

/* Wipes and releases; the secret is empty afterwards. Idempotent. */
void fh_secret_free(fh_secret *secret);

#endif
