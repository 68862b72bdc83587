/* An auth token as the two digest states that HMAC-SHA1 begins with: made
 * once, copied for every computation, wiped when freed. The token itself is
 * not kept. EVP_MAC does the same and takes a quarter longer over an event's
 * bytes. A key belongs to one thread at a time. */
#ifndef FH_KEY_H
#define FH_KEY_H

#include "slice.h"

enum {
  FH_MAC_SIZE = 20,       /* bytes of an HMAC-SHA1 */
  FH_SIGNATURE_SIZE = 28, /* characters of one in base64 */
  FH_HASH_SIZE = 32,      /* bytes of a SHA-256 */
  FH_HASH_TEXT = 64,      /* characters of one in hex */
};

typedef struct fh_key {
  struct evp_md_ctx_st *inner; /* owned; has read the padded token */
  struct evp_md_ctx_st *outer;
  struct evp_md_ctx_st *work; /* a copy of either, while computing */
} fh_key;

/* Makes a key of `token`. False for an empty token, which anybody could sign
 * with, and where libcrypto fails. */
bool fh_key_open(fh_key *key, fh_slice token);
void fh_key_close(fh_key *key);

/* The MAC of `head` followed by `tail`. False where libcrypto fails. */
bool fh_key_mac(fh_key *key, fh_slice head, fh_slice tail,
                unsigned char mac[FH_MAC_SIZE]);

/* A MAC in base64, the form of X-Twilio-Signature. */
void fh_mac_write(const unsigned char mac[FH_MAC_SIZE],
                  char text[FH_SIGNATURE_SIZE]);

/* Reads a signature header. Only the canonical text of a MAC is one: of
 * several texts that decode alike, and of padded or listed ones, none is
 * accepted. */
bool fh_mac_read(fh_slice text, unsigned char mac[FH_MAC_SIZE]);

/* In a time that tells nothing about where they differ. */
bool fh_mac_equal(const unsigned char a[FH_MAC_SIZE],
                  const unsigned char b[FH_MAC_SIZE]);

/* SHA-256, looked up and set up once: that takes longer than hashing an event.
 * A hasher belongs to one thread at a time. */
typedef struct fh_hasher {
  struct evp_md_ctx_st *work; /* owned */
} fh_hasher;

/* False where libcrypto fails. Closing is idempotent. */
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
