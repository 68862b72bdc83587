#include "support.h"

#include <dlfcn.h>
#include <openssl/evp.h>

#include "key.h"

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

static fh_slice slice(const char *text) {
  return (fh_slice){text, strlen(text)};
}

static void assert_signature(const char *expected, fh_slice token,
                             const char *head, const char *tail) {
  fh_key key;
  unsigned char mac[FH_MAC_SIZE];
  char text[FH_SIGNATURE_SIZE];
  assert_true(fh_key_open(&key, token));
  for (int round = 0; round < 3; round++) {
    assert_true(fh_key_mac(&key, slice(head), slice(tail), mac));
    fh_mac_write(mac, text);
    assert_memory_equal(expected, text, FH_SIGNATURE_SIZE);
  }
  fh_key_close(&key);
}

static void gives_the_published_macs(void **state) {
  (void)state;
  char token[80];
  memset(token, 0x0b, 20);
  /* RFC 2202: tests 1, 2, and 6, whose key is longer than a block. */
  assert_signature("thcxhlUFcmTii8C2+zeMjvFGvgA=", (fh_slice){token, 20},
                   "Hi ", "There");
  assert_signature("7/zfauXrL6LSdBbV8YTfnCWafHk=", slice("Jefe"),
                   "what do ya want ", "for nothing?");
  memset(token, 0xaa, 80);
  assert_signature("qkrl4VJy0A6VcFY3zoo7Ve1AIRI=", (fh_slice){token, 80},
                   "Test Using Larger Than Block-Size Key - Hash Key First",
                   "");
}

/* Token lengths around a block, against libcrypto's own HMAC. */
static void agrees_with_libcrypto(void **state) {
  (void)state;
  char token[200], text[300];
  uint32_t seed = 17;
  for (size_t i = 0; i < sizeof token; i++)
    token[i] = (char)next_random(&seed);
  for (size_t i = 0; i < sizeof text; i++)
    text[i] = (char)next_random(&seed);
  for (size_t size = 1; size < sizeof token; size++) {
    unsigned char mac[FH_MAC_SIZE], wanted[FH_MAC_SIZE];
    char *edge = edge_copy(token, size);
    fh_key key;
    size_t head = size, whole = size + 100, got;
    assert_true(fh_key_open(&key, (fh_slice){edge, size}));
    edge_free(edge, size);
    assert_true(fh_key_mac(&key, (fh_slice){text, head},
                           (fh_slice){text + head, whole - head}, mac));
    fh_key_close(&key);
    assert_non_null(EVP_Q_mac(NULL, "HMAC", NULL, "SHA1", NULL, token, size,
                              (unsigned char *)text, whole, wanted,
                              sizeof wanted, &got));
    assert_memory_equal(wanted, mac, FH_MAC_SIZE);
  }
}

static void refuses_an_empty_token(void **state) {
  (void)state;
  fh_key key;
  assert_false(fh_key_open(&key, slice("")));
  assert_false(fh_key_open(&key, (fh_slice){NULL, 0}));
  fh_key_close(&key);
}

static void closing_is_idempotent(void **state) {
  (void)state;
  fh_key key;
  assert_true(fh_key_open(&key, slice("x")));
  fh_key_close(&key);
  fh_key_close(&key);
}

static void computes_again_after_a_copy_that_failed(void **state) {
  (void)state;
  unsigned char mac[FH_MAC_SIZE], again[FH_MAC_SIZE];
  fh_key key;
  assert_true(fh_key_open(&key, slice("Jefe")));
  assert_true(fh_key_mac(&key, slice("head"), slice("tail"), mac));
  for (int good = 0; good < 2; good++) {
    copies.good = good;
    assert_false(fh_key_mac(&key, slice("head"), slice("tail"), again));
    assert_true(fh_key_mac(&key, slice("head"), slice("tail"), again));
    assert_memory_equal(mac, again, FH_MAC_SIZE);
  }
  fh_key_close(&key);
}

static bool reads(const char *text, size_t size) {
  unsigned char mac[FH_MAC_SIZE];
  char *edge = edge_copy(text, size);
  bool read = fh_mac_read((fh_slice){edge, size}, mac);
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
  char same[28] = {0};
  assert_false(reads(same, sizeof same));
  memset(same, 0xff, sizeof same);
  assert_false(reads(same, sizeof same));
}

/* The last character has bits that decode to nothing; one value is canonical.
 */
static void refuses_other_texts_of_the_same_mac(void **state) {
  (void)state;
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrst"
                               "uvwxyz0123456789+/";
  char text[] = "thcxhlUFcmTiizb7wIvvN45G8Q?=";
  size_t good = 0;
  for (size_t i = 0; i < 64; i++) {
    text[26] = digits[i];
    bool read = reads(text, 28);
    assert_int_equal(i % 4 == 0, read);
    good += read;
  }
  assert_int_equal(16, good);
}

static void what_is_written_reads_back(void **state) {
  (void)state;
  uint32_t seed = 99;
  for (int round = 0; round < 2000; round++) {
    unsigned char mac[FH_MAC_SIZE], again[FH_MAC_SIZE];
    char text[FH_SIGNATURE_SIZE];
    for (size_t i = 0; i < FH_MAC_SIZE; i++)
      mac[i] = (unsigned char)next_random(&seed);
    fh_mac_write(mac, text);
    assert_true(fh_mac_read((fh_slice){text, sizeof text}, again));
    assert_true(fh_mac_equal(mac, again));
    again[next_random(&seed) % FH_MAC_SIZE] ^= 1;
    assert_false(fh_mac_equal(mac, again));
  }
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
      cmocka_unit_test(refuses_an_empty_token),
      cmocka_unit_test(closing_is_idempotent),
      cmocka_unit_test(computes_again_after_a_copy_that_failed),
      cmocka_unit_test(reads_only_canonical_signatures),
      cmocka_unit_test(refuses_other_texts_of_the_same_mac),
      cmocka_unit_test(what_is_written_reads_back),
      cmocka_unit_test(hashes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
