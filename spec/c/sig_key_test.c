#include "support.h"

#include <dlfcn.h>
#include <openssl/evp.h>

#include "sig_key.h"

/* --- libcrypto's copy, which can be made to fail ----------------------------
 * These two stand before the library's own. As of OpenSSL 3.5 a copy onto a
 * context whose last copy failed writes through a null pointer. */
#define EXPORT __attribute__((visibility("default")))

static struct {
  int good; /* copies before one fails; negative: none does */
  const EVP_MD_CTX *half_made; /* by the copy that failed */
} copies = {-1, NULL};

EXPORT int EVP_MD_CTX_copy_ex(EVP_MD_CTX *out, const EVP_MD_CTX *in) {
  static int (*real)(EVP_MD_CTX *, const EVP_MD_CTX *);
  if (!real)
    *(void **)&real = dlsym(RTLD_NEXT, "EVP_MD_CTX_copy_ex");
  assert_ptr_not_equal(copies.half_made, out);
  if (copies.good >= 0 && copies.good-- == 0) {
    copies.half_made = out;
    return 0;
  }
  return real(out, in);
}

EXPORT int EVP_MD_CTX_reset(EVP_MD_CTX *context) {
  static int (*real)(EVP_MD_CTX *);
  if (!real)
    *(void **)&real = dlsym(RTLD_NEXT, "EVP_MD_CTX_reset");
  if (context == copies.half_made)
    copies.half_made = NULL;
  return real(context);
}

/* --- libcrypto's comparison in constant time, which is watched -------------
 */

static struct {
  size_t calls;
  size_t bytes; /* of the last call */
} compared;

EXPORT int CRYPTO_memcmp(const void *a, const void *b, size_t size) {
  static int (*real)(const void *, const void *, size_t);
  if (!real)
    *(void **)&real = dlsym(RTLD_NEXT, "CRYPTO_memcmp");
  compared.calls++;
  compared.bytes = size;
  return real(a, b, size);
}

static fh_slice slice(const char *text) {
  return (fh_slice){text, strlen(text)};
}

static void assert_signature(fh_algorithm algorithm, const char *expected,
                             fh_slice secret, const char *head,
                             const char *tail) {
  fh_key key;
  fh_mac mac;
  char text[FH_SIGNATURE_MOST];
  assert_true(fh_key_open(&key, algorithm, secret));
  for (int round = 0; round < 3; round++) {
    assert_true(fh_key_mac(&key, slice(head), slice(tail), &mac));
    assert_int_equal(strlen(expected), fh_mac_write(&mac, text));
    assert_memory_equal(expected, text, strlen(expected));
  }
  fh_key_close(&key);
}

static void gives_the_published_macs(void **state) {
  (void)state;
  static const char larger[] =
      "Test Using Larger Than Block-Size Key - Hash Key First";
  char secret[131];
  memset(secret, 0x0b, 20);
  /* RFC 2202: tests 1, 2, and 6, whose key is longer than a block. */
  assert_signature(FH_HMAC_SHA1,
                   "thcxhlUFcmTii8C2+zeMjvFGvgA=", (fh_slice){secret, 20},
                   "Hi ", "There");
  assert_signature(FH_HMAC_SHA1, "7/zfauXrL6LSdBbV8YTfnCWafHk=", slice("Jefe"),
                   "what do ya want ", "for nothing?");
  /* RFC 4231: tests 1, 2, and 6, likewise. */
  assert_signature(FH_HMAC_SHA256,
                   "sDRMYdjbOFNcqK/OrwvxK4gdwgDJgz2nJuk3bC4yz/c=",
                   (fh_slice){secret, 20}, "Hi ", "There");
  assert_signature(FH_HMAC_SHA256,
                   "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=",
                   slice("Jefe"), "what do ya want ", "for nothing?");
  memset(secret, 0xaa, sizeof secret);
  assert_signature(FH_HMAC_SHA1,
                   "qkrl4VJy0A6VcFY3zoo7Ve1AIRI=", (fh_slice){secret, 80},
                   larger, "");
  assert_signature(FH_HMAC_SHA256,
                   "YOQxWR7gtn8Niiaqy/W3f44LxiE3KMUUBUYEDw7jf1Q=",
                   (fh_slice){secret, sizeof secret}, larger, "");
}

static void assert_agrees(fh_algorithm algorithm, const char *digest,
                          fh_slice secret, fh_slice head, fh_slice tail) {
  unsigned char wanted[FH_MAC_MOST];
  char whole[600];
  char *edge = edge_copy(secret.data, secret.size);
  fh_key key;
  fh_mac mac;
  size_t got;
  assert_true(fh_key_open(&key, algorithm, (fh_slice){edge, secret.size}));
  edge_free(edge, secret.size);
  assert_true(fh_key_mac(&key, head, tail, &mac));
  fh_key_close(&key);
  memcpy(whole, head.data, head.size);
  memcpy(whole + head.size, tail.data, tail.size);
  assert_non_null(EVP_Q_mac(NULL, "HMAC", NULL, digest, NULL, secret.data,
                            secret.size, (unsigned char *)whole,
                            head.size + tail.size, wanted, sizeof wanted,
                            &got));
  assert_int_equal(got, mac.size);
  assert_memory_equal(wanted, mac.bytes, got);
}

/* Secrets whose lengths are around a block, against libcrypto's own HMAC. */
static void agrees_with_libcrypto(void **state) {
  (void)state;
  char secret[200], text[300];
  uint32_t seed = 17;
  for (size_t i = 0; i < sizeof secret; i++)
    secret[i] = (char)next_random(&seed);
  for (size_t i = 0; i < sizeof text; i++)
    text[i] = (char)next_random(&seed);
  for (size_t size = 1; size < sizeof secret; size++) {
    const fh_slice from = {secret, size}, head = {text, size},
                   tail = {text + size, 100};
    assert_agrees(FH_HMAC_SHA1, "SHA1", from, head, tail);
    assert_agrees(FH_HMAC_SHA256, "SHA256", from, head, tail);
  }
}

static void refuses_an_empty_secret(void **state) {
  (void)state;
  fh_key key;
  assert_false(fh_key_open(&key, FH_HMAC_SHA1, slice("")));
  assert_false(fh_key_open(&key, FH_HMAC_SHA256, (fh_slice){NULL, 0}));
  fh_key_close(&key);
}

static void closing_is_idempotent(void **state) {
  (void)state;
  fh_key key;
  assert_true(fh_key_open(&key, FH_HMAC_SHA1, slice("x")));
  fh_key_close(&key);
  fh_key_close(&key);
}

static void computes_again_after_a_copy_that_failed(void **state) {
  (void)state;
  fh_mac mac, again;
  fh_key key;
  assert_true(fh_key_open(&key, FH_HMAC_SHA256, slice("Jefe")));
  assert_true(fh_key_mac(&key, slice("head"), slice("tail"), &mac));
  for (int good = 0; good < 2; good++) {
    copies.good = good;
    assert_false(fh_key_mac(&key, slice("head"), slice("tail"), &again));
    assert_true(fh_key_mac(&key, slice("head"), slice("tail"), &again));
    assert_true(fh_mac_equal(&mac, &again));
  }
  fh_key_close(&key);
}

static bool reads(const char *text, size_t size) {
  fh_mac mac;
  char *edge = edge_copy(text, size);
  bool read = fh_mac_read((fh_slice){edge, size}, &mac);
  edge_free(edge, size);
  return read;
}

#define READS(text) reads(text, sizeof(text) - 1)

static void reads_only_canonical_signatures(void **state) {
  (void)state;
  assert_true(READS("thcxhlUFcmTiizb7wIvvN45G8QA="));
  assert_true(READS("AAAAAAAAAAAAAAAAAAAAAAAAAAA="));
  for (size_t size = 0; size < 28; size++)
    assert_false(reads("thcxhlUFcmTiizb7wIvvN45G8QA=", size));
  assert_false(READS("thcxhlUFcmTiizb7wIvvN45G8QA=A"));
  assert_false(READS("thcxhlUFcmTiizb7wIvvN45G8QA=="));
  assert_false(READS("thcxhlUFcmTiizb7wIvvN45G8QA=\n"));
  assert_false(READS("thcxhlUFcmTiizb7wIvvN45G8QA\n"));
  assert_false(READS(" thcxhlUFcmTiizb7wIvvN45G8QA"));
  assert_false(READS("thcxhlUFcmTiizb7wIvvN45G8QAA"));
  assert_false(READS("thcxhlUFcmTiizb7wIvvN45G8Q=="));
  assert_false(READS("thcxhlUFcmTi zb7wIvvN45G8QA="));
  assert_false(READS("thcxhlUFcmTi-zb7wIvvN45G8QA="));
  assert_false(READS("thcxhlUFcmTi_zb7wIvvN45G8QA="));
  assert_false(READS("thcxhlUFcmTi=zb7wIvvN45G8QA="));
  assert_false(READS("thcxhlUFcmTi\0zb7wIvvN45G8QA="));
  assert_false(READS("============================"));
  assert_false(READS("\xc3\xa9hcxhlUFcmTiizb7wIvvN45G8QA="));
  char same[44] = {0};
  assert_false(reads(same, 28));
  assert_false(reads(same, 44));
  memset(same, 0xff, sizeof same);
  assert_false(reads(same, 28));
  assert_false(reads(same, 44));
}

static void reads_only_canonical_signatures_of_sha256(void **state) {
  (void)state;
  static const char good[] = "sDRMYdjbOFNcqK/OrwvxK4gdwgDJgz2nJuk3bC4yz/c=";
  assert_true(READS(good));
  for (size_t size = 0; size < 44; size++)
    assert_false(reads(good, size));
  assert_false(READS("sDRMYdjbOFNcqK/OrwvxK4gdwgDJgz2nJuk3bC4yz/c=="));
  assert_false(READS("sDRMYdjbOFNcqK/OrwvxK4gdwgDJgz2nJuk3bC4yz/=="));
  assert_false(READS("sDRMYdjbOFNcqK/OrwvxK4gdwgDJgz2nJuk3bC4yz/cA"));
  assert_false(READS("sDRMYdjbOFNcqK/OrwvxK4gdwgDJgz2nJuk3bC4yz/d="));
  assert_false(READS("sDRMYdjbOFNcqK_OrwvxK4gdwgDJgz2nJuk3bC4yz_c="));
  assert_false(READS(" sDRMYdjbOFNcqK/OrwvxK4gdwgDJgz2nJuk3bC4yz/c"));
  assert_false(READS("sDRMYdjbOFNcqK/OrwvxK4gdwgDJgz2nJuk3bC4yz/c\n"));
  /* The other digest's, twice, is as little one. */
  assert_false(READS("thcxhlUFcmTiizb7wIvvN45G8QA=thcxhlUFcmTiizb7"));
}

/* The last character has bits that decode to nothing; one value is canonical.
 */
static void assert_canonical(char *text, size_t last) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrst"
                               "uvwxyz0123456789+/";
  size_t good = 0;
  for (size_t i = 0; i < 64; i++) {
    text[last] = digits[i];
    bool read = reads(text, last + 2);
    assert_int_equal(i % 4 == 0, read);
    good += read;
  }
  assert_int_equal(16, good);
}

static void refuses_other_texts_of_the_same_mac(void **state) {
  (void)state;
  char sha1[] = "thcxhlUFcmTiizb7wIvvN45G8Q?=";
  char sha256[] = "sDRMYdjbOFNcqK/OrwvxK4gdwgDJgz2nJuk3bC4yz/?=";
  assert_canonical(sha1, 26);
  assert_canonical(sha256, 42);
}

static void what_is_written_reads_back(void **state) {
  (void)state;
  uint32_t seed = 99;
  for (int round = 0; round < 2000; round++) {
    fh_mac mac = {.size = round % 2 ? 20 : 32}, again;
    char text[FH_SIGNATURE_MOST];
    for (size_t i = 0; i < mac.size; i++)
      mac.bytes[i] = (unsigned char)next_random(&seed);
    size_t size = fh_mac_write(&mac, text);
    assert_int_equal(round % 2 ? 28 : 44, size);
    assert_true(fh_mac_read((fh_slice){text, size}, &again));
    assert_true(fh_mac_equal(&mac, &again));
    again.bytes[next_random(&seed) % mac.size] ^= 1;
    assert_false(fh_mac_equal(&mac, &again));
  }
}

/* bench/timing.c measures what follows from it. */
static void every_byte_is_compared_in_constant_time(void **state) {
  (void)state;
  const size_t sizes[] = {20, 32};
  for (size_t i = 0; i < 2; i++)
    for (size_t at = 0; at < sizes[i]; at++) {
      const fh_mac mac = {.size = sizes[i]};
      fh_mac other = mac;
      other.bytes[at] = 1;
      size_t calls = compared.calls;
      assert_false(fh_mac_equal(&mac, &other));
      assert_int_equal(calls + 1, compared.calls);
      assert_int_equal(sizes[i], compared.bytes);
    }
}

static void macs_of_two_algorithms_differ(void **state) {
  (void)state;
  const fh_mac sha1 = {{0}, 20}, sha256 = {{0}, 32};
  assert_false(fh_mac_equal(&sha1, &sha256));
  assert_false(fh_mac_equal(&sha256, &sha1));
  assert_true(fh_mac_equal(&sha256, &sha256));
}

static void hashes(void **state) {
  (void)state;
  fh_hasher hasher;
  char text[FH_HASH_TEXT];
  assert_true(fh_hasher_open(&hasher));
  assert_true(fh_hash_text(&hasher, (fh_slice){NULL, 0}, text));
  assert_memory_equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991"
                      "b7852b855",
                      text, FH_HASH_TEXT);
  assert_true(fh_hash_text(&hasher, slice("abc"), text));
  assert_memory_equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff6"
                      "1f20015ad",
                      text, FH_HASH_TEXT);
  fh_hasher_close(&hasher);
  fh_hasher_close(&hasher);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(gives_the_published_macs),
      cmocka_unit_test(agrees_with_libcrypto),
      cmocka_unit_test(refuses_an_empty_secret),
      cmocka_unit_test(closing_is_idempotent),
      cmocka_unit_test(computes_again_after_a_copy_that_failed),
      cmocka_unit_test(reads_only_canonical_signatures),
      cmocka_unit_test(reads_only_canonical_signatures_of_sha256),
      cmocka_unit_test(refuses_other_texts_of_the_same_mac),
      cmocka_unit_test(what_is_written_reads_back),
      cmocka_unit_test(every_byte_is_compared_in_constant_time),
      cmocka_unit_test(macs_of_two_algorithms_differ),
      cmocka_unit_test(hashes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
