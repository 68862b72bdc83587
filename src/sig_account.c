#include "sig_account.h"

#include "json.h"
#include "util_sid.h"

static const fh_slice account_name = {"AccountSid", 10};

static fh_slice find_in_fields(const fh_field *fields, size_t count) {
  fh_slice found = {NULL, 0};
  for (size_t i = 0; i < count; i++) {
    if (!fh_slice_equal(fields[i].name, account_name))
      continue;
    if (found.data && !fh_slice_equal(found, fields[i].value))
      return (fh_slice){NULL, 0};
    found = fields[i].value;
  }
  return found;
}

fh_slice fh_find_account(const fh_verifier *verifier,
                         const fh_delivery *delivery, void *scratch) {
  fh_slice found = {NULL, 0};
  fh_event event;
  if (delivery->kind == FH_JSON) {
    const fh_json_limits limits = {64, verifier->limits.name, false};
    found = fh_json_string(delivery->body, &limits, account_name);
  } else if (fh_read_fields(verifier, delivery, scratch, &event) ==
             FH_VERIFIED) {
    found = find_in_fields(event.fields, event.count);
  }
  return found.data && fh_is_sid(found, "AC", true) ? found
                                                    : (fh_slice){NULL, 0};
}
