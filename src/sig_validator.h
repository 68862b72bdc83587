/* Verification for callers that bring URL and secret with each call. Making a
 * verifier and a key takes longer than using them, so the last few of each are
 * kept. Secrets are kept in memory that is wiped. A zeroed validator is an
 * empty one. It belongs to one thread at a time. */
#ifndef FH_SIG_VALIDATOR_H
#define FH_SIG_VALIDATOR_H

#include "sig_verify.h"

enum { FH_VALIDATOR_KEPT = 16 };

typedef struct fh_kept_key {
  char *secret; /* owned; NULL: nothing is kept here */
  size_t size;
  fh_algorithm algorithm;
  fh_key key;
} fh_kept_key;

typedef struct fh_kept_verifier {
  char *url; /* owned; NULL: nothing is kept here */
  size_t size;
  fh_verifier verifier;
} fh_kept_verifier;

typedef struct fh_validator {
  fh_kept_key keys[FH_VALIDATOR_KEPT];
  fh_kept_verifier verifiers[FH_VALIDATOR_KEPT];
  size_t next_key;      /* the place that is used next */
  size_t next_verifier; /* likewise */
} fh_validator;

/* Forgets and wipes everything. Idempotent. */
void fh_validator_close(fh_validator *validator);

/* Returns the key of a secret, which stays the validator's and is good until
 * other keys have been asked for. NULL for an empty secret, without memory and
 * if libcrypto fails. */
fh_key *fh_validator_key(fh_validator *validator, fh_algorithm algorithm,
                         fh_slice secret);

/* Returns the verifier of a URL without query and fragment, likewise; it has
 * no caps. NULL for a URL that does not pass fh_signed_url_check, without
 * memory and if libcrypto fails. */
const fh_verifier *fh_validator_url(fh_validator *validator, fh_slice url);

#endif
