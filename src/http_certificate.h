/* What a server's certificate must have besides what OpenSSL and libcurl
 * check: a name for its host. Without one libcurl takes the subject's common
 * name, which RFC 9110 (4.3.4) forbids. */
#ifndef FH_HTTP_CERTIFICATE_H
#define FH_HTTP_CERTIFICATE_H

#include <openssl/ssl.h>
#include <stdbool.h>

/* Does its subjectAltName hold a DNS name or an IP address? False without
 * memory, too. */
bool fh_certificate_has_name(const X509 *certificate);

/* Has the connections of a context refuse certificates without such a name,
 * with X509_V_ERR_HOSTNAME_MISMATCH. The context verifies its peers already.
 */
void fh_certificate_demand_name(SSL_CTX *context);

#endif
