#include "support.h"

#include <openssl/x509v3.h>

#include "http_certificate.h"

/* A certificate whose subjectAltName is as openssl.cnf has it; NULL: none. */
static X509 *certificate(const char *names) {
  X509 *made = X509_new();
  if (names) {
    X509_EXTENSION *extension =
        X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);
    assert_non_null(extension);
    assert_int_equal(1, X509_add_ext(made, extension, -1));
    X509_EXTENSION_free(extension);
  }
  return made;
}

static bool has_name(const char *names) {
  X509 *made = certificate(names);
  bool found = fh_certificate_has_name(made);
  X509_free(made);
  return found;
}

static void knows_names_of_hosts(void **state) {
  (void)state;
  assert_true(has_name("DNS:localhost"));
  assert_true(has_name("IP:127.0.0.1"));
  assert_true(has_name("IP:::1"));
  assert_true(has_name("email:a@b.example,URI:https://c/,DNS:d"));
  assert_false(has_name("email:a@b.example"));
  assert_false(has_name("URI:https://localhost/"));
  assert_false(has_name(NULL));
}

static void keeps_how_a_context_verifies(void **state) {
  (void)state;
  SSL_CTX *context = SSL_CTX_new(TLS_client_method());
  for (int mode = SSL_VERIFY_NONE; mode <= SSL_VERIFY_PEER; mode++) {
    SSL_CTX_set_verify(context, mode, NULL);
    fh_certificate_demand_name(context);
    assert_int_equal(mode, SSL_CTX_get_verify_mode(context));
    assert_non_null(SSL_CTX_get_verify_callback(context));
  }
  SSL_CTX_free(context);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(knows_names_of_hosts),
      cmocka_unit_test(keeps_how_a_context_verifies),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
