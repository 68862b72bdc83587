#include "key.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

bool fh_key_open(fh_key *key, fh_slice token) {
  char digest[] = "SHA1";
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end(),
  };
  EVP_MAC *hmac = token.size > 0 ? EVP_MAC_fetch(NULL, "HMAC", NULL) : NULL;
  key->context = hmac ? EVP_MAC_CTX_new(hmac) : NULL;
  EVP_MAC_free(hmac);
  if (key->context &&
      EVP_MAC_init(key->context, (const unsigned char *)token.data, token.size,
                   params) == 1)
    return true;
  fh_key_close(key);
  return false;
}

void fh_key_close(fh_key *key) {
  EVP_MAC_CTX_free(key->context);
  key->context = NULL;
}

static bool update(EVP_MAC_CTX *context, fh_slice bytes) {
  return bytes.size == 0 ||
         EVP_MAC_update(context, (const unsigned char *)bytes.data,
                        bytes.size) == 1;
}

bool fh_key_mac(fh_key *key, fh_slice head, fh_slice tail,
                unsigned char mac[FH_MAC_SIZE]) {
  EVP_MAC_CTX *context = key->context;
  size_t size = 0;
  /* Without a token, init goes back to the state that open left. */
  return EVP_MAC_init(context, NULL, 0, NULL) == 1 && update(context, head) &&
         update(context, tail) &&
         EVP_MAC_final(context, mac, &size, FH_MAC_SIZE) == 1 &&
         size == FH_MAC_SIZE;
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

bool fh_hash(fh_slice bytes, unsigned char hash[FH_HASH_SIZE]) {
  const char *data = bytes.size > 0 ? bytes.data : "";
  return EVP_Digest(data, bytes.size, hash, NULL, EVP_sha256(), NULL) == 1;
}

bool fh_hash_text(fh_slice bytes, char text[FH_HASH_TEXT]) {
  static const char digits[] = "0123456789abcdef";
  unsigned char hash[FH_HASH_SIZE];
  if (!fh_hash(bytes, hash))
    return false;
  for (size_t i = 0; i < sizeof hash; i++) {
    text[2 * i] = digits[hash[i] >> 4];
    text[2 * i + 1] = digits[hash[i] & 15];
  }
  return true;
}
