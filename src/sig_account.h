/* The AccountSid of a delivery that nobody has verified yet: which account's
 * token to verify it with. It is only good for that. */
#ifndef FH_SIG_ACCOUNT_H
#define FH_SIG_ACCOUNT_H

#include "sig_verify.h"

/* The AccountSid, where there is one, all of several agree, and it is `AC` and
 * 32 hex digits; NULL otherwise. `scratch` is what fh_verify_room asks for;
 * the result borrows it or the delivery. */
fh_slice fh_find_account(const fh_verifier *verifier,
                         const fh_delivery *delivery, void *scratch);

#endif
