#include "key.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

enum { BLOCK = 64 }; /* bytes that SHA-1 reads at a time */

/* The token as HMAC takes it: a block, filled up with NULs, and hashed before
 * where it is longer. */
static bool make_block(const EVP_MD *sha1, fh_slice token,
                       unsigned char block[BLOCK]) {
  memset(block, 0, BLOCK);
  if (token.size > BLOCK)
    return EVP_Digest(token.data, token.size, block, NULL, sha1, NULL) == 1;
  memcpy(block, token.data, token.size);
  return true;
}

/* A digest that has read the block with every byte changed by `pad`. */
static EVP_MD_CTX *begin(const EVP_MD *sha1, const unsigned char block[BLOCK],
                         unsigned char pad) {
  unsigned char padded[BLOCK];
  for (size_t i = 0; i < BLOCK; i++)
    padded[i] = block[i] ^ pad;
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  if (context && (EVP_DigestInit_ex(context, sha1, NULL) != 1 ||
                  EVP_DigestUpdate(context, padded, BLOCK) != 1)) {
    EVP_MD_CTX_free(context);
    context = NULL;
  }
  OPENSSL_cleanse(padded, sizeof padded);
  return context;
}

bool fh_key_open(fh_key *key, fh_slice token) {
  unsigned char block[BLOCK];
  *key = (fh_key){NULL, NULL, NULL};
  EVP_MD *sha1 = token.size > 0 ? EVP_MD_fetch(NULL, "SHA1", NULL) : NULL;
  if (sha1 && make_block(sha1, token, block)) {
    key->inner = begin(sha1, block, 0x36);
    key->outer = begin(sha1, block, 0x5c);
    key->work = EVP_MD_CTX_new();
  }
  OPENSSL_cleanse(block, sizeof block);
  EVP_MD_free(sha1);
  if (key->inner && key->outer && key->work)
    return true;
  fh_key_close(key);
  return false;
}

void fh_key_close(fh_key *key) {
  EVP_MD_CTX_free(key->inner);
  EVP_MD_CTX_free(key->outer);
  EVP_MD_CTX_free(key->work);
  *key = (fh_key){NULL, NULL, NULL};
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

bool fh_key_mac(fh_key *key, fh_slice head, fh_slice tail,
                unsigned char mac[FH_MAC_SIZE]) {
  EVP_MD_CTX *work = key->work;
  const fh_slice inner = {(const char *)mac, FH_MAC_SIZE};
  return copy(work, key->inner) && update(work, head) && update(work, tail) &&
         EVP_DigestFinal_ex(work, mac, NULL) == 1 && copy(work, key->outer) &&
         update(work, inner) && EVP_DigestFinal_ex(work, mac, NULL) == 1;
}

void fh_mac_write(const unsigned char mac[FH_MAC_SIZE],
                  char text[FH_SIGNATURE_SIZE]) {
  unsigned char ended[FH_SIGNATURE_SIZE + 1];
  EVP_EncodeBlock(ended, mac, FH_MAC_SIZE);
  memcpy(text, ended, FH_SIGNATURE_SIZE);
}

bool fh_mac_read(fh_slice text, unsigned char mac[FH_MAC_SIZE]) {
  unsigned char decoded[FH_SIGNATURE_SIZE / 4 * 3];
  char canonical[FH_SIGNATURE_SIZE];
  if (text.size != FH_SIGNATURE_SIZE ||
      EVP_DecodeBlock(decoded, (const unsigned char *)text.data,
                      FH_SIGNATURE_SIZE) != (int)sizeof decoded)
    return false;
  memcpy(mac, decoded, FH_MAC_SIZE);
  fh_mac_write(mac, canonical);
  return memcmp(canonical, text.data, FH_SIGNATURE_SIZE) == 0;
}

bool fh_mac_equal(const unsigned char a[FH_MAC_SIZE],
                  const unsigned char b[FH_MAC_SIZE]) {
  return CRYPTO_memcmp(a, b, FH_MAC_SIZE) == 0;
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
