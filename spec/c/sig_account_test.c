#include "support.h"

#include "sig_account.h"

#define HEX "0123456789abcdef0123456789abcdef"
#define SID "AC" HEX

static void assert_finds(const char *expected, fh_delivery_kind kind,
                         const char *text) {
  const fh_form_limits limits = {20, 127, 100};
  fh_verifier verifier;
  fh_slice url = {"https://h/e?AccountSid=x", 24};
  size_t size = strlen(text);
  char *edge = edge_copy(text, size);
  fh_delivery delivery = {.kind = kind};
  *(kind == FH_QUERY ? &delivery.query : &delivery.body) =
      (fh_slice){edge, size};
  assert_true(fh_verifier_open(&verifier, url, &limits, 4096));
  size_t room = (fh_verify_room(&verifier, &delivery) + 15) & ~(size_t)15;
  char *zeroes = calloc(1, room), *scratch = edge_copy(zeroes, room);
  fh_slice sid = fh_find_account(&verifier, &delivery, scratch);
  assert_int_equal(expected ? 34 : 0, sid.size);
  if (expected)
    assert_memory_equal(expected, sid.data, 34);
  edge_free(scratch, room);
  edge_free(edge, size);
  free(zeroes);
  fh_verifier_close(&verifier);
}

static void finds_it_in_a_form(void **state) {
  (void)state;
  assert_finds(SID, FH_FORM, "a=1&AccountSid=" SID "&b=2");
  assert_finds(SID, FH_FORM, "%41ccountSi%64=%41C" HEX);
  assert_finds(SID, FH_FORM, "AccountSid=" SID "&AccountSid=" SID);
  assert_finds(NULL, FH_FORM,
               "AccountSid=" SID "&AccountSid=ACffffffffffffffffffffffffffff"
               "ffff");
  assert_finds(NULL, FH_FORM, "");
  assert_finds(NULL, FH_FORM, "accountsid=" SID "&XAccountSid=" SID);
  assert_finds(NULL, FH_FORM, "a=AccountSid=" SID);
}

static void finds_it_in_a_query(void **state) {
  (void)state;
  assert_finds(SID, FH_QUERY, "AccountSid=x&AccountSid=" SID);
  assert_finds(NULL, FH_QUERY, "AccountSid=x");
  assert_finds(SID, FH_QUERY, "y=1&AccountSid=" SID);
}

static void finds_it_in_json(void **state) {
  (void)state;
  assert_finds(SID, FH_JSON, "{\"AccountSid\":\"" SID "\"}");
  assert_finds(SID, FH_JSON, "[{\"AccountSid\":\"" SID "\"}]");
  assert_finds(NULL, FH_JSON, "{\"AccountSid\":\"" SID "\"");
  assert_finds(NULL, FH_JSON, "{\"x\":{\"AccountSid\":\"" SID "\"}}");
}

static void takes_the_shape_of_an_account_only(void **state) {
  (void)state;
  static const char *const bad[] = {
      "AccountSid=",
      "AccountSid=AC",
      "AccountSid=AC" HEX "0",
      "AccountSid=AC0123456789abcdef0123456789abcde",
      "AccountSid=ac" HEX,
      "AccountSid=SK" HEX,
      "AccountSid=AC0123456789abcdef0123456789abcdeg",
      "AccountSid=AC0123456789abcdef0123456789abcde%00",
      "AccountSid=+AC" HEX,
      "AccountSid=AC0123456789abcdef0123456789abcd/e",
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_finds(NULL, FH_FORM, bad[i]);
  assert_finds("ACABCDEF89ABCDEF0123456789abcdefAB", FH_FORM,
               "AccountSid=ACABCDEF89ABCDEF0123456789abcdefAB");
}

static void looks_no_further_than_the_caps(void **state) {
  (void)state;
  assert_finds(NULL, FH_FORM,
               "a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p&q&r&s&t&AccountSid=" SID);
  assert_finds(NULL, FH_FORM, "AccountSid=" SID "&x=%zz");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(finds_it_in_a_form),
      cmocka_unit_test(finds_it_in_a_query),
      cmocka_unit_test(finds_it_in_json),
      cmocka_unit_test(takes_the_shape_of_an_account_only),
      cmocka_unit_test(looks_no_further_than_the_caps),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
