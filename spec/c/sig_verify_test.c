#include "support.h"

#include <stdio.h>

#include "sig_verify.h"

static const fh_form_limits usual = {1000, 127, 65536};

static fh_slice slice(const char *text) {
  return text ? (fh_slice){text, strlen(text)} : (fh_slice){NULL, 0};
}

/* --- signing by hand ------------------------------------------------------
 */

static const char *sign_as(fh_algorithm algorithm, const char *secret,
                           const char *text) {
  static char signature[FH_SIGNATURE_MOST + 1];
  fh_key key;
  fh_mac mac;
  assert_true(fh_key_open(&key, algorithm, slice(secret)));
  assert_true(fh_key_mac(&key, slice(text), slice(""), &mac));
  fh_key_close(&key);
  signature[fh_mac_write(&mac, signature)] = 0;
  return signature;
}

static const char *sign(const char *text) {
  return sign_as(FH_HMAC_SHA1, "12345", text);
}

/* --- verifying, with memory that ends where a page ends --------------------
 */

typedef struct result {
  fh_verdict verdict;
  char event[512]; /* name=value| in order */
  char id[FH_ID_SIZE];
  char twin[FH_ID_SIZE];
} result;

static void spell(result *r, const fh_event *event) {
  size_t at = 0;
  for (size_t i = 0; i < event->count; i++) {
    const fh_field *f = &event->fields[i];
    at += (size_t)snprintf(r->event + at, sizeof r->event - at, "%.*s=%.*s|",
                           (int)f->name.size, f->name.data, (int)f->value.size,
                           f->value.data);
  }
  memcpy(r->id, event->id, sizeof r->id);
  memcpy(r->twin, event->twin, sizeof r->twin);
}

static void assert_same_ids(const result *a, const result *b) {
  assert_memory_equal(a->id, b->id, FH_ID_SIZE);
  assert_memory_equal(a->twin, b->twin, FH_ID_SIZE);
}

static void assert_other_ids(const result *a, const result *b) {
  assert_memory_not_equal(a->id, b->id, FH_ID_SIZE);
  assert_memory_not_equal(a->twin, b->twin, FH_ID_SIZE);
}

static result verify_with(const char *url, const fh_delivery *delivery,
                          fh_key **keys, size_t count) {
  result r = {.verdict = FH_TOO_LARGE};
  fh_verifier verifier;
  fh_event event = {NULL, 0, {0}, {0}};
  assert_true(fh_verifier_open(&verifier, slice(url), &usual, 4096));
  size_t room = fh_verify_room(&verifier, delivery);
  if (room > 0) {
    size_t whole = (room + 15) & ~(size_t)15;
    char *zeroes = calloc(1, whole), *scratch = edge_copy(zeroes, whole);
    r.verdict = fh_verify(&verifier, delivery, keys, count, scratch, &event);
    if (r.verdict == FH_VERIFIED)
      spell(&r, &event);
    edge_free(scratch, whole);
    free(zeroes);
  }
  fh_verifier_close(&verifier);
  return r;
}

static result verify(const char *url, fh_delivery_kind kind,
                     const char *signature, const char *query,
                     const char *body) {
  fh_key key, other, *keys[] = {&other, &key};
  assert_true(fh_key_open(&key, FH_HMAC_SHA1, slice("12345")));
  assert_true(fh_key_open(&other, FH_HMAC_SHA1, slice("another")));
  fh_delivery delivery = {.kind = kind,
                          .signature = slice(signature),
                          .query = slice(query),
                          .body = slice(body),
                          .token = slice("token"),
                          .want_twin = true};
  result r = verify_with(url, &delivery, keys, 2);
  fh_key_close(&key);
  fh_key_close(&other);
  return r;
}

#define URL "https://h.example/e"

static result form(const char *signature, const char *query,
                   const char *body) {
  return verify(URL, FH_FORM, signature, query, body);
}

#define ASSERT_VERDICT(expected, result)                                      \
  assert_int_equal(expected, (result).verdict)

static void signs_names_in_order_and_distinct_values(void **state) {
  (void)state;
  result r = form(sign(URL "AxABbB2bC3"), NULL, "bC=3&A=x&bB=2&AB=&bB=2");
  ASSERT_VERDICT(FH_VERIFIED, r);
  assert_string_equal("A=x|AB=|bB=2|bC=3|", r.event);
  r = form(sign(URL "a10a2"), NULL, "a=2&a=10&a=2");
  assert_string_equal("a=10|a=2|", r.event);
  ASSERT_VERDICT(FH_SIGNATURE_DIFFERS, form(sign(URL "a2"), NULL, "a=2&a=1"));
  ASSERT_VERDICT(FH_SIGNATURE_DIFFERS,
                 form(sign(URL "a2,1"), NULL, "a=2&a=1"));
  ASSERT_VERDICT(FH_SIGNATURE_DIFFERS,
                 form(sign(URL "a2a1"), NULL, "a=2&a=1"));
  ASSERT_VERDICT(FH_SIGNATURE_DIFFERS,
                 form(sign(URL "a2a2"), NULL, "a=2&a=2"));
}

static void a_name_is_ordered_before_the_name_it_begins(void **state) {
  (void)state;
  ASSERT_VERDICT(FH_VERIFIED, form(sign(URL "ReasonzReasonCodea"), NULL,
                                   "ReasonCode=a&Reason=z"));
  ASSERT_VERDICT(FH_SIGNATURE_DIFFERS, form(sign(URL "ReasonCodeaReasonz"),
                                            NULL, "ReasonCode=a&Reason=z"));
}

static void takes_every_form_of_the_url(void **state) {
  (void)state;
  static const char *const accepted[] = {
      "https://h.example/it'sa1",          "https://h.example:443/it'sa1",
      "https://u:p@h.example/it'sa1",      "https://u:p@h.example:443/it'sa1",
      "https://h.example/it%27sa1",        "https://h.example:443/it%27sa1",
      "https://u:p@h.example:443/it%27sa1"};
  static const char *const refused[] = {
      "http://h.example/it'sa1",  "https://h.example:80/it'sa1",
      "https://h.example/it'sa2", "https://h.example/it'sa1#f",
      "https://H.example/it'sa1", "https://u@h.example/it'sa1",
      "https://h.example/it's/a1"};
  static const char url[] = "https://u:p@h.example/it's#f";
  for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++)
    ASSERT_VERDICT(FH_VERIFIED,
                   verify(url, FH_FORM, sign(accepted[i]), NULL, "a=1"));
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
    ASSERT_VERDICT(FH_SIGNATURE_DIFFERS,
                   verify(url, FH_FORM, sign(refused[i]), NULL, "a=1"));
}

static void an_unnamed_port_is_the_default_one_only(void **state) {
  (void)state;
  ASSERT_VERDICT(FH_SIGNATURE_DIFFERS,
                 form(sign("https://h.example:8443/ea1"), NULL, "a=1"));
  ASSERT_VERDICT(FH_VERIFIED,
                 verify("https://h.example:8443/e", FH_FORM,
                        sign("https://h.example/ea1"), NULL, "a=1"));
  ASSERT_VERDICT(FH_SIGNATURE_DIFFERS,
                 verify("https://h.example:8443/e", FH_FORM,
                        sign("https://h.example:443/ea1"), NULL, "a=1"));
}

static void escapes_apostrophes_of_the_query(void **state) {
  (void)state;
  ASSERT_VERDICT(FH_VERIFIED, form(sign(URL "?x='&y=''"), "x='&y=''", ""));
  ASSERT_VERDICT(FH_VERIFIED,
                 form(sign(URL "?x=%27&y=%27%27"), "x='&y=''", ""));
  ASSERT_VERDICT(FH_SIGNATURE_DIFFERS,
                 form(sign(URL "?x='&y=%27%27"), "x='&y=''", ""));
  ASSERT_VERDICT(FH_SIGNATURE_DIFFERS, form(sign(URL "?x='"), "x=%27", ""));
  ASSERT_VERDICT(FH_VERIFIED, form(sign(URL "a'b"), NULL, "a='b"));
  ASSERT_VERDICT(FH_SIGNATURE_DIFFERS, form(sign(URL "a%27b"), NULL, "a='b"));
  static const char both[] = "https://h/'";
  ASSERT_VERDICT(FH_VERIFIED,
                 verify(both, FH_FORM, sign("https://h/'?'"), "'", ""));
  ASSERT_VERDICT(FH_VERIFIED,
                 verify(both, FH_FORM, sign("https://h/'?%27"), "'", ""));
  ASSERT_VERDICT(FH_VERIFIED,
                 verify(both, FH_FORM, sign("https://h/%27?%27"), "'", ""));
  ASSERT_VERDICT(FH_SIGNATURE_DIFFERS,
                 verify(both, FH_FORM, sign("https://h/%27?'"), "'", ""));
}

static void signs_the_query_as_it_came(void **state) {
  (void)state;
  ASSERT_VERDICT(FH_VERIFIED, form(sign(URL "?b=%2f&a=+"), "b=%2f&a=+", ""));
  ASSERT_VERDICT(FH_SIGNATURE_DIFFERS, form(sign(URL "?b&a"), "a&b", ""));
  ASSERT_VERDICT(FH_SIGNATURE_DIFFERS, form(sign(URL), "x=1", ""));
  ASSERT_VERDICT(FH_VERIFIED, form(sign(URL "?"), "", ""));
  ASSERT_VERDICT(FH_SIGNATURE_DIFFERS, form(sign(URL "?"), NULL, ""));
  ASSERT_VERDICT(FH_SIGNATURE_DIFFERS, form(sign(URL), "", ""));
}

static void the_query_begins_with_the_configured_one(void **state) {
  (void)state;
  static const char url[] = URL "?x='#f";
  ASSERT_VERDICT(FH_VERIFIED,
                 verify(url, FH_FORM, sign(URL "?x='a1"), "x='", "a=1"));
  ASSERT_VERDICT(FH_VERIFIED,
                 verify(url, FH_FORM, sign(URL "?x='a1"), "x=%27", "a=1"));
  ASSERT_VERDICT(FH_VERIFIED, verify(url, FH_FORM, sign(URL "?x=%27&y=1"),
                                     "x=%27&y=1", ""));
  ASSERT_VERDICT(FH_QUERY_DIFFERS,
                 verify(url, FH_FORM, sign(URL "?y=1"), "y=1", ""));
  ASSERT_VERDICT(FH_QUERY_DIFFERS, verify(url, FH_FORM, sign(URL), NULL, ""));
}

static void fields_of_a_get_come_from_the_query(void **state) {
  (void)state;
  result r = verify(URL, FH_QUERY, sign(URL "?b=%32&a=1&b=%32"),
                    "b=%32&a=1&b=%32", NULL);
  ASSERT_VERDICT(FH_VERIFIED, r);
  assert_string_equal("a=1|b=2|", r.event);
  r = verify(URL "?t=1", FH_QUERY, sign(URL "?t=1&a=1"), "t=1&a=1", NULL);
  assert_string_equal("a=1|", r.event);
  result same = verify(URL, FH_QUERY, sign(URL "?a=1"), "a=1", NULL);
  assert_same_ids(&same, &r);
  ASSERT_VERDICT(FH_VERIFIED, verify(URL, FH_QUERY, sign(URL), NULL, NULL));
  ASSERT_VERDICT(FH_SIGNATURE_DIFFERS,
                 verify(URL, FH_QUERY, sign(URL "?a=1a1"), "a=1", NULL));
  ASSERT_VERDICT(FH_MALFORMED,
                 verify(URL, FH_QUERY, sign(URL "?a=%"), "a=%", NULL));
}

#define EMPTY_HASH                                                            \
  "bodySHA256=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8" \
  "55"
#define BRACES_HASH                                                           \
  "bodySHA256=44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff" \
  "8a"

static fh_verdict json(const char *query, const char *body) {
  char text[512];
  snprintf(text, sizeof text, "%s%s%s", URL, query ? "?" : "",
           query ? query : "");
  return verify(URL, FH_JSON, sign(text), query, body).verdict;
}

static void a_body_without_fields_is_bound_by_its_hash(void **state) {
  (void)state;
  assert_int_equal(FH_VERIFIED, json(BRACES_HASH, "{}"));
  assert_int_equal(FH_VERIFIED, json("x=1&" BRACES_HASH "&y", "{}"));
  assert_int_equal(FH_BODY_UNSIGNED, json(NULL, "{}"));
  assert_int_equal(FH_BODY_UNSIGNED, json("", ""));
  assert_int_equal(FH_BODY_UNSIGNED, json("xbodySHA256=1&bodySHA2567=1", ""));
  assert_int_equal(FH_BODY_UNSIGNED, json("bodysha256=1", "{}"));
  assert_int_equal(FH_BODY_UNSIGNED, json("x=bodySHA256=1", "{}"));
  assert_int_equal(FH_BODY_DIFFERS, json(EMPTY_HASH, "{}"));
  assert_int_equal(FH_BODY_DIFFERS, json(BRACES_HASH, "{} "));
  assert_int_equal(FH_BODY_DIFFERS, json(BRACES_HASH "0", "{}"));
  assert_int_equal(FH_BODY_DIFFERS, json("bodySHA256", "{}"));
  assert_int_equal(FH_BODY_DIFFERS, json("bodySHA256=", "{}"));
  assert_int_equal(FH_BODY_DIFFERS, json(BRACES_HASH "&" EMPTY_HASH, "{}"));
  assert_int_equal(FH_BODY_DIFFERS, json(EMPTY_HASH "&" BRACES_HASH, "{}"));
  assert_int_equal(FH_BODY_DIFFERS, json(BRACES_HASH "&" BRACES_HASH, "{}"));
  ASSERT_VERDICT(FH_SIGNATURE_DIFFERS,
                 verify(URL, FH_JSON, sign(URL), BRACES_HASH, "{}"));
}

static void the_hash_is_written_one_way(void **state) {
  (void)state;
  char query[] = BRACES_HASH;
  for (size_t i = 11; query[i]; i++)
    if (query[i] >= 'a')
      query[i] -= 'a' - 'A';
  assert_int_equal(FH_BODY_DIFFERS, json(query, "{}"));
  char escaped[128] = "bodySHA256=%344136";
  memcpy(escaped + 14, BRACES_HASH + 12, sizeof BRACES_HASH - 12);
  assert_int_equal(FH_BODY_DIFFERS, json(escaped, "{}"));
  char shorter[] = BRACES_HASH;
  shorter[sizeof shorter - 2] = '\0';
  assert_int_equal(FH_BODY_DIFFERS, json(shorter, "{}"));
}

static void a_hash_binds_forms_and_gets_too(void **state) {
  (void)state;
  ASSERT_VERDICT(FH_VERIFIED, form(sign(URL "?" EMPTY_HASH), EMPTY_HASH, ""));
  ASSERT_VERDICT(FH_BODY_DIFFERS,
                 form(sign(URL "?" EMPTY_HASH "a1"), EMPTY_HASH, "a=1"));
  ASSERT_VERDICT(
      FH_BODY_DIFFERS,
      verify(URL, FH_QUERY, sign(URL "?" BRACES_HASH), BRACES_HASH, NULL));
  result r = verify(URL, FH_QUERY, sign(URL "?a=1&" EMPTY_HASH "&b=2"),
                    "a=1&" EMPTY_HASH "&b=2", NULL);
  ASSERT_VERDICT(FH_VERIFIED, r);
  assert_string_equal("a=1|b=2|", r.event);
}

static void refuses_in_order(void **state) {
  (void)state;
  char long_name[200];
  memset(long_name, 'n', sizeof long_name);
  long_name[199] = '\0';
  ASSERT_VERDICT(FH_TOO_LARGE, form(NULL, NULL, long_name));
  ASSERT_VERDICT(FH_MALFORMED, form(NULL, NULL, "a=%"));
  ASSERT_VERDICT(FH_SIGNATURE_MISSING, form(NULL, NULL, "a=1"));
  ASSERT_VERDICT(FH_SIGNATURE_MISSING, form("", NULL, "a=1"));
  ASSERT_VERDICT(FH_SIGNATURE_SHAPE, form("abc", NULL, "a=1"));
  ASSERT_VERDICT(FH_SIGNATURE_SHAPE, verify(URL, FH_JSON, "abc", NULL, "{}"));
}

static void keeps_its_caps(void **state) {
  (void)state;
  char *text = calloc(1, 5000);
  memset(text, '&', 4096);
  ASSERT_VERDICT(FH_VERIFIED, form(sign(URL), NULL, text));
  text[4096] = '&';
  ASSERT_VERDICT(FH_TOO_LARGE, form(sign(URL), NULL, text));
  ASSERT_VERDICT(FH_TOO_LARGE, form(sign(URL), text, ""));
  ASSERT_VERDICT(FH_TOO_LARGE, verify(URL, FH_QUERY, sign(URL), text, NULL));
  ASSERT_VERDICT(FH_TOO_LARGE, verify(URL, FH_JSON, sign(URL), NULL, text));
  for (size_t i = 0; i < 2002; i += 2)
    memcpy(text + i, "a&", 2);
  text[2002] = '\0';
  ASSERT_VERDICT(FH_TOO_LARGE, form(sign(URL), NULL, text));
  text[2000] = '\0';
  ASSERT_VERDICT(FH_VERIFIED, form(sign(URL "a"), NULL, text));
  free(text);
}

static void every_key_counts_and_none_counts_for_nothing(void **state) {
  (void)state;
  fh_key a, b, *keys[] = {&a, &b};
  assert_true(fh_key_open(&a, FH_HMAC_SHA1, slice("a")));
  assert_true(fh_key_open(&b, FH_HMAC_SHA1, slice("b")));
  fh_delivery delivery = {.kind = FH_FORM, .body = slice("x=1")};
  for (size_t i = 0; i < 2; i++) {
    delivery.signature = slice(sign_as(FH_HMAC_SHA1, i ? "b" : "a", URL "x1"));
    ASSERT_VERDICT(FH_VERIFIED, verify_with(URL, &delivery, keys, 2));
    ASSERT_VERDICT(FH_VERIFIED, verify_with(URL, &delivery, keys + i, 1));
    ASSERT_VERDICT(FH_SIGNATURE_DIFFERS,
                   verify_with(URL, &delivery, keys + !i, 1));
    ASSERT_VERDICT(FH_ALGORITHM_DIFFERS, verify_with(URL, &delivery, NULL, 0));
  }
  fh_key_close(&a);
  fh_key_close(&b);
}

/* Each key counts for signatures of its own algorithm, whatever its secret. */
static void a_key_is_for_one_algorithm(void **state) {
  (void)state;
  fh_key sha1, sha256, *keys[] = {&sha1, &sha256};
  assert_true(fh_key_open(&sha1, FH_HMAC_SHA1, slice("same")));
  assert_true(fh_key_open(&sha256, FH_HMAC_SHA256, slice("same")));
  fh_delivery delivery = {.kind = FH_FORM, .body = slice("x=1")};
  for (size_t i = 0; i < 2; i++) {
    fh_algorithm algorithm = i ? FH_HMAC_SHA256 : FH_HMAC_SHA1;
    delivery.signature = slice(sign_as(algorithm, "same", URL "x1"));
    ASSERT_VERDICT(FH_VERIFIED, verify_with(URL, &delivery, keys, 2));
    ASSERT_VERDICT(FH_VERIFIED, verify_with(URL, &delivery, keys + i, 1));
    ASSERT_VERDICT(FH_ALGORITHM_DIFFERS,
                   verify_with(URL, &delivery, keys + !i, 1));
    delivery.signature = slice(sign_as(algorithm, "other", URL "x1"));
    ASSERT_VERDICT(FH_SIGNATURE_DIFFERS, verify_with(URL, &delivery, keys, 2));
  }
  fh_key_close(&sha1);
  fh_key_close(&sha256);
}

static void no_byte_may_move(void **state) {
  (void)state;
  static const char *const bodies[] = {"ab=c", "a=bc&", "a=b&c=", "a=&bc",
                                       "abc",  "=abc",  "ab=c&=", "a=b%00c"};
  result first = form(sign(URL "abc"), NULL, bodies[0]);
  ASSERT_VERDICT(FH_VERIFIED, first);
  for (size_t i = 1; i < sizeof bodies / sizeof *bodies; i++) {
    result r = form(sign(URL "abc"), NULL, bodies[i]);
    if (r.verdict == FH_VERIFIED)
      assert_other_ids(&first, &r);
  }
}

static void ids_are_of_the_fields_alone(void **state) {
  (void)state;
  result a = form(sign(URL "a1b2"), NULL, "a=1&b=2");
  result b = form(sign(URL "?x=1a1b2"), "x=1", "b=2&a=%31&b=2");
  result c = verify("http://other/", FH_FORM, sign("http://other/a1b2"), NULL,
                    "a=1&b=2");
  result d = verify(URL, FH_QUERY, sign(URL "?a=1&b=2"), "a=1&b=2", NULL);
  assert_same_ids(&a, &b);
  assert_same_ids(&a, &c);
  assert_same_ids(&a, &d);
}

static void an_id_is_of_its_token_too(void **state) {
  (void)state;
  fh_key key, *keys[] = {&key};
  assert_true(fh_key_open(&key, FH_HMAC_SHA1, slice("12345")));
  fh_delivery delivery = {.kind = FH_FORM,
                          .signature = slice(sign(URL "a1")),
                          .body = slice("a=1"),
                          .want_twin = true};
  const char *const tokens[] = {"token", "toke", "tokens", "", "token"};
  result r[5];
  for (size_t i = 0; i < 5; i++) {
    delivery.token = slice(tokens[i]);
    r[i] = verify_with(URL, &delivery, keys, 1);
    ASSERT_VERDICT(FH_VERIFIED, r[i]);
    assert_memory_equal(r[0].twin, r[i].twin, FH_ID_SIZE);
  }
  for (size_t i = 1; i < 4; i++)
    assert_memory_not_equal(r[0].id, r[i].id, FH_ID_SIZE);
  assert_memory_equal(r[0].id, r[4].id, FH_ID_SIZE);
  fh_key_close(&key);
}

static void signs_the_documented_form(void **state) {
  (void)state;
  fh_signed_url url;
  char scratch[64], signature[FH_SIGNATURE_MOST];
  fh_field fields[] = {{{"b", 1}, {"2", 1}}, {{"a", 1}, {"1", 1}}};
  size_t count = fh_form_sort(fields, 2);
  assert_true(
      fh_signed_url_open(&url, slice("https://u:p@h:8443/e?x='#frag")));
  for (size_t i = 0; i < 2; i++) {
    fh_algorithm algorithm = i ? FH_HMAC_SHA256 : FH_HMAC_SHA1;
    fh_key key;
    assert_true(fh_key_open(&key, algorithm, slice("12345")));
    assert_int_equal(i ? 44 : 28,
                     fh_sign(&key, &url, fields, count, scratch, signature));
    assert_memory_equal(
        sign_as(algorithm, "12345", "https://h:8443/e?x='a1b2"), signature,
        i ? 44 : 28);
    fh_key_close(&key);
  }
  fh_signed_url_close(&url);
}

static void survives_any_bytes(void **state) {
  (void)state;
  static const char alphabet[] = "&=%+a4'?b\xff";
  uint32_t seed = 31337;
  char signature[FH_SIGNATURE_MOST + 1];
  memcpy(signature, sign(URL), 28 + 1);
  for (int round = 0; round < 20000; round++) {
    char query[24], body[40];
    size_t q = next_random(&seed) % (sizeof query - 1);
    size_t b = next_random(&seed) % (sizeof body - 1);
    for (size_t i = 0; i < q; i++)
      query[i] = alphabet[next_random(&seed) % (sizeof alphabet - 1)];
    for (size_t i = 0; i < b; i++)
      body[i] = alphabet[next_random(&seed) % (sizeof alphabet - 1)];
    query[q] = body[b] = '\0';
    verify(URL "?'", (fh_delivery_kind)(next_random(&seed) % 3), signature,
           query, body);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(signs_names_in_order_and_distinct_values),
      cmocka_unit_test(a_name_is_ordered_before_the_name_it_begins),
      cmocka_unit_test(takes_every_form_of_the_url),
      cmocka_unit_test(an_unnamed_port_is_the_default_one_only),
      cmocka_unit_test(escapes_apostrophes_of_the_query),
      cmocka_unit_test(signs_the_query_as_it_came),
      cmocka_unit_test(the_query_begins_with_the_configured_one),
      cmocka_unit_test(fields_of_a_get_come_from_the_query),
      cmocka_unit_test(a_body_without_fields_is_bound_by_its_hash),
      cmocka_unit_test(the_hash_is_written_one_way),
      cmocka_unit_test(a_hash_binds_forms_and_gets_too),
      cmocka_unit_test(refuses_in_order),
      cmocka_unit_test(keeps_its_caps),
      cmocka_unit_test(every_key_counts_and_none_counts_for_nothing),
      cmocka_unit_test(a_key_is_for_one_algorithm),
      cmocka_unit_test(no_byte_may_move),
      cmocka_unit_test(ids_are_of_the_fields_alone),
      cmocka_unit_test(an_id_is_of_its_token_too),
      cmocka_unit_test(signs_the_documented_form),
      cmocka_unit_test(survives_any_bytes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
