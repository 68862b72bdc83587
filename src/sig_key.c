#include "sig_key.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

enum { BLOCK = 64 }; /* bytes that either digest reads at a time */

static const struct {
  const char *digest;
  size_t mac;  /* bytes */
  size_t text; /* characters of base64 */
} algorithms[] = {
    [FH_HMAC_SHA1] = {"SHA1", 20, 28},
    [FH_HMAC_SHA256] = {"SHA256", 32, 44},
};

/* The secret as HMAC takes it: a block, filled up with NULs, and hashed before
 * if it is longer. */
static bool make_block(const EVP_MD *digest, fh_slice secret,
                       unsigned char block[BLOCK]) {
  memset(block, 0, BLOCK);
  if (secret.size > BLOCK)
    return EVP_Digest(secret.data, secret.size, block, NULL, digest, NULL) ==
           1;
  memcpy(block, secret.data, secret.size);
  return true;
}

/* Returns a digest that has read the block with every byte changed by `pad`.
 */
static EVP_MD_CTX *begin(const EVP_MD *digest,
                         const unsigned char block[BLOCK], unsigned char pad) {
  unsigned char padded[BLOCK];
  for (size_t i = 0; i < BLOCK; i++)
    padded[i] = block[i] ^ pad;
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  if (context && (EVP_DigestInit_ex(context, digest, NULL) != 1 ||
                  EVP_DigestUpdate(context, padded, BLOCK) != 1)) {
    EVP_MD_CTX_free(context);
    context = NULL;
  }
  OPENSSL_cleanse(padded, sizeof padded);
  return context;
}

bool fh_key_open(fh_key *key, fh_algorithm algorithm, fh_slice secret) {
  unsigned char block[BLOCK];
  const char *name = algorithms[algorithm].digest;
  *key = (fh_key){.size = algorithms[algorithm].mac};
  EVP_MD *digest = secret.size > 0 ? EVP_MD_fetch(NULL, name, NULL) : NULL;
  if (digest && make_block(digest, secret, block)) {
    key->inner = begin(digest, block, 0x36);
    key->outer = begin(digest, block, 0x5c);
    key->work = EVP_MD_CTX_new();
  }
  OPENSSL_cleanse(block, sizeof block);
  EVP_MD_free(digest);
  if (key->inner && key->outer && key->work)
    return true;
  fh_key_close(key);
  return false;
}

void fh_key_close(fh_key *key) {
  EVP_MD_CTX_free(key->inner);
  EVP_MD_CTX_free(key->outer);
  EVP_MD_CTX_free(key->work);
  *key = (fh_key){.size = 0};
}

/* OpenSSL 3.5 leaves a target whose copy failed half made: it has the digest
 * without its state, and the next copy writes into that state. */
static bool copy(EVP_MD_CTX *to, const EVP_MD_CTX *from) {
  if (EVP_MD_CTX_copy_ex(to, from) == 1)
    return true;
  EVP_MD_CTX_reset(to);
  return false;
}

static bool update(EVP_MD_CTX *context, fh_slice bytes) {
  return EVP_DigestUpdate(context, bytes.data, bytes.size) == 1;
}

bool fh_key_mac(fh_key *key, fh_slice head, fh_slice tail, fh_mac *mac) {
  EVP_MD_CTX *work = key->work;
  const fh_slice inner = {(const char *)mac->bytes, key->size};
  mac->size = key->size;
  return copy(work, key->inner) && update(work, head) && update(work, tail) &&
         EVP_DigestFinal_ex(work, mac->bytes, NULL) == 1 &&
         copy(work, key->outer) && update(work, inner) &&
         EVP_DigestFinal_ex(work, mac->bytes, NULL) == 1;
}

size_t fh_mac_write(const fh_mac *mac, char text[FH_SIGNATURE_MOST]) {
  unsigned char ended[FH_SIGNATURE_MOST + 1];
  int size = EVP_EncodeBlock(ended, mac->bytes, (int)mac->size);
  memcpy(text, ended, (size_t)size);
  return (size_t)size;
}

/* Returns the bytes of a MAC that `size` characters hold, or 0. */
static size_t mac_size(size_t size) {
  for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++)
    if (algorithms[i].text == size)
      return algorithms[i].mac;
  return 0;
}

bool fh_mac_read(fh_slice text, fh_mac *mac) {
  unsigned char decoded[FH_SIGNATURE_MOST / 4 * 3];
  char canonical[FH_SIGNATURE_MOST];
  mac->size = mac_size(text.size);
  if (mac->size == 0 ||
      EVP_DecodeBlock(decoded, (const unsigned char *)text.data,
                      (int)text.size) < (int)mac->size)
    return false;
  memcpy(mac->bytes, decoded, mac->size);
  fh_mac_write(mac, canonical);
  return memcmp(canonical, text.data, text.size) == 0;
}

bool fh_mac_equal(const fh_mac *a, const fh_mac *b) {
  return a->size == b->size && CRYPTO_memcmp(a->bytes, b->bytes, a->size) == 0;
}

bool fh_hasher_open(fh_hasher *hasher) {
  EVP_MD *sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
  hasher->work = sha256 ? EVP_MD_CTX_new() : NULL;
  if (hasher->work && EVP_DigestInit_ex(hasher->work, sha256, NULL) != 1)
    fh_hasher_close(hasher);
  EVP_MD_free(sha256);
  return hasher->work;
}

void fh_hasher_close(fh_hasher *hasher) {
  EVP_MD_CTX_free(hasher->work);
  hasher->work = NULL;
}

bool fh_hash(const fh_hasher *hasher, const fh_slice *parts, size_t count,
             unsigned char hash[FH_HASH_SIZE]) {
  bool going = EVP_DigestInit_ex(hasher->work, NULL, NULL) == 1;
  for (size_t i = 0; i < count && going; i++)
    going = update(hasher->work, parts[i]);
  return going && EVP_DigestFinal_ex(hasher->work, hash, NULL) == 1;
}

void fh_hex(fh_slice bytes, char *text) {
  static const char digits[] = "0123456789abcdef";
  for (size_t i = 0; i < bytes.size; i++) {
    unsigned char byte = (unsigned char)bytes.data[i];
    text[2 * i] = digits[byte >> 4];
    text[2 * i + 1] = digits[byte & 15];
  }
}

bool fh_hash_text(const fh_hasher *hasher, fh_slice bytes,
                  char text[FH_HASH_TEXT]) {
  unsigned char hash[FH_HASH_SIZE];
  if (!fh_hash(hasher, &bytes, 1, hash))
    return false;
  fh_hex((fh_slice){(const char *)hash, sizeof hash}, text);
  return true;
}
