#include "support.h"

#include "util_secret.h"

static void keeps_bytes_and_a_nul_behind_them(void **state) {
  (void)state;
  fh_secret secret;
  assert_int_equal(fh_secret_set(&secret, "a\0b", 3), FH_SECRET_OK);
  assert_int_equal(secret.size, 3);
  assert_memory_equal(secret.data, "a\0b", 4);
  fh_secret_free(&secret);
  fh_secret_free(&secret);
  assert_null(secret.data);
  assert_int_equal(fh_secret_set(&secret, NULL, 0), FH_SECRET_OK);
  assert_string_equal(secret.data, "");
  fh_secret_free(&secret);
}

static void refuses_what_is_too_long(void **state) {
  (void)state;
  fh_secret secret;
  char *bytes = edge_copy("", 0);
  assert_int_equal(fh_secret_set(&secret, bytes, FH_SECRET_MAX + 1),
                   FH_SECRET_LONG);
  assert_null(secret.data);
  edge_free(bytes, 0);
}

static fh_secret_status basic(fh_secret *out, const char *user, size_t size,
                              const char *password, size_t password_size) {
  fh_secret pass;
  char *edge = edge_copy(user, size);
  assert_int_equal(fh_secret_set(&pass, password, password_size),
                   FH_SECRET_OK);
  fh_secret_status status = fh_secret_basic(out, edge, size, &pass);
  edge_free(edge, size);
  fh_secret_free(&pass);
  return status;
}

static void makes_basic_values(void **state) {
  (void)state;
  static const struct {
    const char *user, *password, *value;
  } rows[] = {
      {"Aladdin", "open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},
      {"a", "b", "Basic YTpi"},
      {"a", "b:c", "Basic YTpiOmM="},
      {"a", "\xff", "Basic YTr/"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    fh_secret secret;
    assert_int_equal(basic(&secret, rows[i].user, strlen(rows[i].user),
                           rows[i].password, strlen(rows[i].password)),
                     FH_SECRET_OK);
    assert_string_equal(secret.data, rows[i].value);
    assert_int_equal(secret.size, strlen(rows[i].value));
    fh_secret_free(&secret);
  }
}

static void refuses_basic_values_that_would_mislead(void **state) {
  (void)state;
  static const struct {
    const char *user;
    size_t size;
    const char *password;
    size_t password_size;
    fh_secret_status status;
  } rows[] = {
      {"", 0, "b", 1, FH_SECRET_EMPTY},
      {"a", 1, "", 0, FH_SECRET_EMPTY},
      {"a:b", 3, "c", 1, FH_SECRET_COLON},
      {":", 1, "c", 1, FH_SECRET_COLON},
      {"a\n", 2, "c", 1, FH_SECRET_CONTROL},
      {"a\0b", 3, "c", 1, FH_SECRET_CONTROL},
      {"a", 1, "c\r\nX: y", 7, FH_SECRET_CONTROL},
      {"a", 1, "c\0", 2, FH_SECRET_CONTROL},
      {"a", 1, "c\x7f", 2, FH_SECRET_CONTROL},
      {"a", 1, "c\t", 2, FH_SECRET_CONTROL},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    fh_secret secret;
    assert_int_equal(basic(&secret, rows[i].user, rows[i].size,
                           rows[i].password, rows[i].password_size),
                     rows[i].status);
    assert_null(secret.data);
  }
}

static void makes_bearer_values(void **state) {
  (void)state;
  fh_secret token, secret;
  assert_int_equal(fh_secret_set(&token, "abc", 3), FH_SECRET_OK);
  assert_int_equal(fh_secret_bearer(&secret, &token), FH_SECRET_OK);
  assert_string_equal(secret.data, "Bearer abc");
  fh_secret_free(&token);
  fh_secret_free(&secret);
  static const char *const wrong[] = {"a b", "a\nb", ""};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    assert_int_equal(fh_secret_set(&token, wrong[i], strlen(wrong[i])),
                     FH_SECRET_OK);
    assert_int_not_equal(fh_secret_bearer(&secret, &token), FH_SECRET_OK);
    assert_null(secret.data);
    fh_secret_free(&token);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(keeps_bytes_and_a_nul_behind_them),
      cmocka_unit_test(refuses_what_is_too_long),
      cmocka_unit_test(makes_basic_values),
      cmocka_unit_test(refuses_basic_values_that_would_mislead),
      cmocka_unit_test(makes_bearer_values),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
