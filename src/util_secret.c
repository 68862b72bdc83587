#include "util_secret.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

const char *fh_secret_find(const fh_secret *secret, const char *text,
                           size_t size, size_t *found) {
  if (secret->size < FH_SECRET_HIDDEN)
    return NULL;
  const char *scheme = memrchr(secret->data, ' ', secret->size);
  const char *start = scheme ? scheme + 1 : secret->data;
  *found = secret->size - (size_t)(start - secret->data);
  if (*found < FH_SECRET_HIDDEN)
    return NULL;
  return memmem(text, size, start, *found);
}

bool fh_has_control(const char *data, size_t size) {
  for (size_t i = 0; i < size; i++) {
    unsigned char byte = (unsigned char)data[i];
    if (byte < 0x20 || byte == 0x7f)
      return true;
  }
  return false;
}

static bool allocate(fh_secret *secret, size_t size) {
  *secret = (fh_secret){0};
  secret->data = OPENSSL_zalloc(size + 1);
  if (!secret->data)
    return false;
  secret->size = size;
  return true;
}

void fh_secret_free(fh_secret *secret) {
  if (secret->data)
    OPENSSL_clear_free(secret->data, secret->size + 1);
  *secret = (fh_secret){0};
}

fh_secret_status fh_secret_set(fh_secret *secret, const char *data,
                               size_t size) {
  *secret = (fh_secret){0};
  if (size > FH_SECRET_MAX)
    return FH_SECRET_LONG;
  if (!allocate(secret, size))
    return FH_SECRET_NO_MEMORY;
  if (size > 0)
    memcpy(secret->data, data, size);
  return FH_SECRET_OK;
}

bool fh_secret_join(fh_secret *secret, const char *prefix,
                    const fh_secret *tail) {
  size_t prefix_size = strlen(prefix);
  if (!allocate(secret, prefix_size + tail->size))
    return false;
  memcpy(secret->data, prefix, prefix_size);
  if (tail->size > 0)
    memcpy(secret->data + prefix_size, tail->data, tail->size);
  return true;
}

static fh_secret_status check(const char *data, size_t size) {
  if (size == 0)
    return FH_SECRET_EMPTY;
  if (size > FH_SECRET_MAX)
    return FH_SECRET_LONG;
  return fh_has_control(data, size) ? FH_SECRET_CONTROL : FH_SECRET_OK;
}

static bool encode_basic(fh_secret *secret, const fh_secret *pair) {
  static const char scheme[] = "Basic ";
  size_t prefix = sizeof scheme - 1;
  if (!allocate(secret, prefix + 4 * ((pair->size + 2) / 3)))
    return false;
  memcpy(secret->data, scheme, prefix);
  EVP_EncodeBlock((unsigned char *)secret->data + prefix,
                  (const unsigned char *)pair->data, (int)pair->size);
  return true;
}

fh_secret_status fh_secret_basic(fh_secret *secret, const char *user,
                                 size_t user_size, const fh_secret *password) {
  *secret = (fh_secret){0};
  fh_secret_status status = check(user, user_size);
  if (status == FH_SECRET_OK && memchr(user, ':', user_size))
    status = FH_SECRET_COLON;
  if (status == FH_SECRET_OK)
    status = check(password->data, password->size);
  if (status != FH_SECRET_OK)
    return status;
  fh_secret pair;
  if (!allocate(&pair, user_size + 1 + password->size))
    return FH_SECRET_NO_MEMORY;
  memcpy(pair.data, user, user_size);
  pair.data[user_size] = ':';
  memcpy(pair.data + user_size + 1, password->data, password->size);
  if (!encode_basic(secret, &pair))
    status = FH_SECRET_NO_MEMORY;
  fh_secret_free(&pair);
  return status;
}

fh_secret_status fh_secret_bearer(fh_secret *secret, const fh_secret *token) {
  *secret = (fh_secret){0};
  fh_secret_status status = check(token->data, token->size);
  if (status == FH_SECRET_OK && memchr(token->data, ' ', token->size))
    status = FH_SECRET_CONTROL;
  if (status != FH_SECRET_OK)
    return status;
  return fh_secret_join(secret, "Bearer ", token) ? FH_SECRET_OK
                                                  : FH_SECRET_NO_MEMORY;
}
