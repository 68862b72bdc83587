#include "http_certificate.h"

#include <openssl/x509v3.h>

bool fh_certificate_has_name(const X509 *certificate) {
  GENERAL_NAMES *names =
      X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
  bool found = false;
  for (int i = 0; i < sk_GENERAL_NAME_num(names) && !found; i++) {
    int type = sk_GENERAL_NAME_value(names, i)->type;
    found = type == GEN_DNS || type == GEN_IPADD;
  }
  GENERAL_NAMES_free(names);
  return found;
}

/* Called for each certificate of the chain; the server's own is at depth 0. */
static int verify(int good, X509_STORE_CTX *store) {
  if (!good || X509_STORE_CTX_get_error_depth(store) > 0 ||
      fh_certificate_has_name(X509_STORE_CTX_get_current_cert(store)))
    return good;
  X509_STORE_CTX_set_error(store, X509_V_ERR_HOSTNAME_MISMATCH);
  return 0;
}

void fh_certificate_demand_name(SSL_CTX *context) {
  SSL_CTX_set_verify(context, SSL_CTX_get_verify_mode(context), verify);
}
