#include "sig_validator.h"

#include <openssl/crypto.h>
#include <stdlib.h>

enum { NO_CAP = 1 << 30 };

static void forget_key(fh_kept_key *kept) {
  if (!kept->secret)
    return;
  OPENSSL_clear_free(kept->secret, kept->size);
  fh_key_close(&kept->key);
  kept->secret = NULL;
}

static void forget_verifier(fh_kept_verifier *kept) {
  if (!kept->url)
    return;
  free(kept->url);
  fh_verifier_close(&kept->verifier);
  kept->url = NULL;
}

void fh_validator_close(fh_validator *validator) {
  for (size_t i = 0; i < FH_VALIDATOR_KEPT; i++) {
    forget_key(&validator->keys[i]);
    forget_verifier(&validator->verifiers[i]);
  }
}

static bool is_kept(const fh_kept_key *kept, fh_algorithm algorithm,
                    fh_slice secret) {
  return kept->secret && kept->algorithm == algorithm &&
         kept->size == secret.size &&
         CRYPTO_memcmp(kept->secret, secret.data, secret.size) == 0;
}

fh_key *fh_validator_key(fh_validator *validator, fh_algorithm algorithm,
                         fh_slice secret) {
  for (size_t i = 0; i < FH_VALIDATOR_KEPT; i++)
    if (is_kept(&validator->keys[i], algorithm, secret))
      return &validator->keys[i].key;
  fh_kept_key *kept = &validator->keys[validator->next_key];
  forget_key(kept);
  if (!fh_key_open(&kept->key, algorithm, secret))
    return NULL;
  kept->secret = OPENSSL_memdup(secret.data, secret.size);
  if (!kept->secret) {
    fh_key_close(&kept->key);
    return NULL;
  }
  kept->size = secret.size;
  kept->algorithm = algorithm;
  validator->next_key = (validator->next_key + 1) % FH_VALIDATOR_KEPT;
  return &kept->key;
}

static const fh_verifier *find(const fh_validator *validator, fh_slice url) {
  for (size_t i = 0; i < FH_VALIDATOR_KEPT; i++) {
    const fh_kept_verifier *kept = &validator->verifiers[i];
    if (kept->url && fh_slice_equal((fh_slice){kept->url, kept->size}, url))
      return &kept->verifier;
  }
  return NULL;
}

const fh_verifier *fh_validator_url(fh_validator *validator, fh_slice url) {
  static const fh_form_limits limits = {NO_CAP, NO_CAP, NO_CAP};
  const fh_verifier *found = find(validator, url);
  if (found || fh_signed_url_check(url))
    return found;
  fh_kept_verifier *kept = &validator->verifiers[validator->next_verifier];
  forget_verifier(kept);
  char *copy = malloc(url.size);
  if (!copy || !fh_verifier_open(&kept->verifier, url, &limits, NO_CAP)) {
    free(copy);
    return NULL;
  }
  memcpy(copy, url.data, url.size);
  kept->url = copy;
  kept->size = url.size;
  validator->next_verifier =
      (validator->next_verifier + 1) % FH_VALIDATOR_KEPT;
  return &kept->verifier;
}
