/* Verification of one delivery. A verifier is for one configured URL; a
 * delivery is what came: signature header, raw query, raw body. Everything is
 * worked out on slices of these bytes and scratch memory of the caller's, so
 * that nothing is kept between calls and nothing is made of bytes that nobody
 * has signed.
 *
 * What is signed: the URL and, of a form, each name followed by its value, in
 * the order of fh_form_sort. Fields and URL are not set apart in that string,
 * so a valid signature alone does not say which bytes were names: the caller
 * compares the path with the configured one and checks what came out. A body
 * that is no form is bound by its SHA-256 in the query instead. */
#ifndef FH_SIG_VERIFY_H
#define FH_SIG_VERIFY_H

#include "util_form.h"
#include "sig_key.h"
#include "sig_url.h"

typedef struct fh_verifier {
  fh_signed_url url;
  fh_hasher hasher;
  fh_form_limits limits;
  size_t body; /* cap of a body and of a query, in bytes */
} fh_verifier;

typedef enum fh_delivery_kind {
  FH_FORM,  /* fields in the body */
  FH_QUERY, /* fields in the query, no body */
  FH_JSON,  /* a body without fields, bound by bodySHA256 */
} fh_delivery_kind;

typedef struct fh_delivery {
  fh_delivery_kind kind;
  fh_slice signature; /* NULL where there was no header */
  fh_slice query;     /* raw; NULL where the target had no `?` */
  fh_slice body;      /* raw */
  fh_slice token;     /* the idempotency token; NULL: no id is made */
  bool want_twin;
} fh_delivery;

enum { FH_ID_SIZE = 32 };

/* The fields, sorted and distinct, borrow the delivery and the scratch. The
 * id is a hash of the token and the fields, since the token is not signed; the
 * twin is one of the fields alone; both in hex. The fields of a JSON body are
 * its bytes. */
typedef struct fh_event {
  fh_field *fields;
  size_t count;
  char id[FH_ID_SIZE];
  char twin[FH_ID_SIZE];
} fh_event;

typedef enum fh_verdict {
  FH_VERIFIED,
  FH_TOO_LARGE,
  FH_MALFORMED,
  FH_SIGNATURE_MISSING, /* no header, or an empty one */
  FH_SIGNATURE_SHAPE,   /* the header is not 28 or 44 characters of base64 */
  FH_ALGORITHM_DIFFERS, /* it is as long as no key here makes it */
  FH_QUERY_DIFFERS,     /* the configured URL has a query, this is another */
  FH_BODY_UNSIGNED,     /* a body without fields and without bodySHA256 */
  FH_BODY_DIFFERS,      /* bodySHA256 is not, once, the hash of the body */
  FH_SIGNATURE_DIFFERS,
  FH_CRYPTO_FAILED, /* libcrypto gave up: nothing was decided */
} fh_verdict;

/* Opens a verifier for `url`, which must have passed fh_signed_url_check and
 * is copied. False when out of memory or where libcrypto fails. */
bool fh_verifier_open(fh_verifier *verifier, fh_slice url,
                      const fh_form_limits *limits, size_t body);
void fh_verifier_close(fh_verifier *verifier);

/* The scratch memory, in bytes, that verifying this delivery takes, aligned as
 * malloc aligns; 0 where the delivery is over a cap and need not be verified.
 */
size_t fh_verify_room(const fh_verifier *verifier,
                      const fh_delivery *delivery);

/* Reads the fields alone and verifies nothing: FH_VERIFIED, FH_TOO_LARGE or
 * FH_MALFORMED. Takes the same scratch memory. */
fh_verdict fh_read_fields(const fh_verifier *verifier,
                          const fh_delivery *delivery, void *scratch,
                          fh_event *event);

/* Verifies the delivery against every form of the URL and every key whose
 * signatures are as long as this one; all are computed and compared, so that
 * the time taken tells nothing. */
fh_verdict fh_verify(const fh_verifier *verifier, const fh_delivery *delivery,
                     fh_key **keys, size_t key_count, void *scratch,
                     fh_event *event);

/* Verifies a form whose fields were read before, likewise; they are as
 * fh_form_sort left them. `scratch` has room for their bytes, and one more and
 * three times the bytes of both queries. */
fh_verdict fh_verify_fields(const fh_verifier *verifier,
                            const fh_delivery *delivery, fh_key **keys,
                            size_t key_count, void *scratch, fh_event *event);

/* Signs the documented form of `url` with fields as fh_form_sort left them.
 * `scratch` has room for their bytes, the URL's query and one more. Returns
 * the number of characters, or 0 if libcrypto fails. */
size_t fh_sign(fh_key *key, const fh_signed_url *url, const fh_field *fields,
               size_t count, char *scratch, char signature[FH_SIGNATURE_MOST]);

#endif
