#include "support.h"

#include <stdio.h>

#include "sig_validator.h"

static fh_slice slice(const char *text) {
  return (fh_slice){text, strlen(text)};
}

static int set_up(void **state) {
  static fh_validator validator;
  validator = (fh_validator){.next_key = 0};
  *state = &validator;
  return 0;
}

static int tear_down(void **state) {
  fh_validator_close(*state);
  return 0;
}

static void keeps_a_key(void **state) {
  fh_key *key = fh_validator_key(*state, FH_HMAC_SHA256, slice("a"));
  assert_non_null(key);
  assert_int_equal(32, key->size);
  assert_ptr_equal(key, fh_validator_key(*state, FH_HMAC_SHA256, slice("a")));
}

static void tells_keys_apart(void **state) {
  fh_key *key = fh_validator_key(*state, FH_HMAC_SHA1, slice("ab"));
  const fh_slice others[] = {{"a", 1}, {"ab\0", 3}, {"aB", 2}, {"b", 1}};
  assert_ptr_not_equal(key,
                       fh_validator_key(*state, FH_HMAC_SHA256, slice("ab")));
  for (size_t i = 0; i < 4; i++)
    assert_ptr_not_equal(key,
                         fh_validator_key(*state, FH_HMAC_SHA1, others[i]));
  assert_ptr_equal(key, fh_validator_key(*state, FH_HMAC_SHA1, slice("ab")));
}

static void has_no_key_of_an_empty_secret(void **state) {
  assert_null(fh_validator_key(*state, FH_HMAC_SHA1, slice("")));
  assert_null(fh_validator_key(*state, FH_HMAC_SHA1, (fh_slice){NULL, 0}));
}

/* The oldest goes; what comes again is computed again, and right. */
static void forgets_what_is_over_its_room(void **state) {
  char secret[16], url[64];
  fh_mac first, mac;
  for (int round = 0; round < 3; round++)
    for (int i = 0; i < 3 * FH_VALIDATOR_KEPT; i++) {
      snprintf(secret, sizeof secret, "secret %d", i);
      snprintf(url, sizeof url, "https://h.example/%d", i);
      fh_key *key = fh_validator_key(*state, FH_HMAC_SHA1, slice(secret));
      assert_non_null(key);
      assert_true(fh_key_mac(key, slice("a"), slice("b"), &mac));
      if (i == 0 && round > 0)
        assert_true(fh_mac_equal(&first, &mac));
      if (i == 0)
        first = mac;
      else
        assert_false(fh_mac_equal(&first, &mac));
      const fh_verifier *v = fh_validator_url(*state, slice(url));
      assert_non_null(v);
      assert_true(fh_slice_equal(slice(url), v->url.forms[0].text));
      assert_ptr_equal(v, fh_validator_url(*state, slice(url)));
    }
}

static void has_no_verifier_of_what_is_not_a_url(void **state) {
  assert_null(fh_validator_url(*state, slice("")));
  assert_null(fh_validator_url(*state, slice("ftp://h/")));
  assert_null(fh_validator_url(*state, slice("https://h h/")));
  assert_non_null(fh_validator_url(*state, slice("https://h/")));
}

static void closing_is_idempotent_and_leaves_it_empty(void **state) {
  assert_non_null(fh_validator_key(*state, FH_HMAC_SHA1, slice("a")));
  assert_non_null(fh_validator_url(*state, slice("https://h/")));
  fh_validator_close(*state);
  fh_validator_close(*state);
  assert_non_null(fh_validator_key(*state, FH_HMAC_SHA1, slice("a")));
  assert_non_null(fh_validator_url(*state, slice("https://h/")));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(keeps_a_key),
      TEST(tells_keys_apart),
      TEST(has_no_key_of_an_empty_secret),
      TEST(forgets_what_is_over_its_room),
      TEST(has_no_verifier_of_what_is_not_a_url),
      TEST(closing_is_idempotent_and_leaves_it_empty),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
