/* A secret as the two digest states that HMAC begins with: made once, copied
 * for every computation, wiped when freed. The secret itself is not kept.
 * EVP_MAC does the same and takes a quarter longer over an event's bytes. A
 * key is for one algorithm and belongs to one thread at a time. */
#ifndef FH_SIG_KEY_H
#define FH_SIG_KEY_H

#include "util_slice.h"

typedef enum fh_algorithm {
  FH_HMAC_SHA1,   /* 20 bytes, 28 characters of base64 */
  FH_HMAC_SHA256, /* 32 bytes, 44 characters */
} fh_algorithm;

enum {
  FH_MAC_MOST = 32,       /* bytes of the longest MAC */
  FH_SIGNATURE_MOST = 44, /* characters of it in base64 */
  FH_HASH_SIZE = 32,      /* bytes of a SHA-256 */
  FH_HASH_TEXT = 64,      /* characters of one in hex */
};

typedef struct fh_key {
  struct evp_md_ctx_st *inner; /* owned; has read the padded secret */
  struct evp_md_ctx_st *outer;
  struct evp_md_ctx_st *work; /* a copy of either, while computing */
  size_t size;                /* bytes of its MACs */
} fh_key;

/* The result of a key: `size` bytes, which say its algorithm. */
typedef struct fh_mac {
  unsigned char bytes[FH_MAC_MOST];
  size_t size;
} fh_mac;

/* Makes a key of `secret`. False for an empty secret, which anybody could sign
 * with, and if libcrypto fails. */
bool fh_key_open(fh_key *key, fh_algorithm algorithm, fh_slice secret);
void fh_key_close(fh_key *key);

/* Computes the MAC of `head` followed by `tail`. False if libcrypto fails.
 */
bool fh_key_mac(fh_key *key, fh_slice head, fh_slice tail, fh_mac *mac);

/* Writes a MAC in base64, the form of X-Twilio-Signature, and returns the
 * number of characters. */
size_t fh_mac_write(const fh_mac *mac, char text[FH_SIGNATURE_MOST]);

/* Reads a signature header. Only the canonical text of a MAC is one: of
 * several texts that decode alike, and of padded or listed ones, none is
 * accepted. */
bool fh_mac_read(fh_slice text, fh_mac *mac);

/* Compares in a time that says nothing about where the bytes differ. MACs of
 * two algorithms differ. */
bool fh_mac_equal(const fh_mac *a, const fh_mac *b);

/* SHA-256, looked up and set up once: that takes longer than hashing an event.
 * A hasher belongs to one thread at a time. */
typedef struct fh_hasher {
  struct evp_md_ctx_st *work; /* owned */
} fh_hasher;

/* False if libcrypto fails. Closing is idempotent. */
bool fh_hasher_open(fh_hasher *hasher);
void fh_hasher_close(fh_hasher *hasher);

/* `text` gets two lower-case digits for each byte and has room for them. */
void fh_hex(fh_slice bytes, char *text);

/* The hash of the parts, one behind the other. */
bool fh_hash(const fh_hasher *hasher, const fh_slice *parts, size_t count,
             unsigned char hash[FH_HASH_SIZE]);

/* The hash of `bytes` in lower-case hex. */
bool fh_hash_text(const fh_hasher *hasher, fh_slice bytes,
                  char text[FH_HASH_TEXT]);

#endif
