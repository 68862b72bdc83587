#include "account.h"

#include "json.h"

static const fh_slice account_name = {"AccountSid", 10};

static bool is_account(fh_slice sid) {
  if (sid.size != 34 || memcmp(sid.data, "AC", 2) != 0)
    return false;
  for (size_t i = 2; i < sid.size; i++) {
    char c = sid.data[i], letter = c | 0x20;
    if (!(c >= '0' && c <= '9') && !(letter >= 'a' && letter <= 'f'))
      return false;
  }
  return true;
}

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
    const fh_json_limits limits = {64, verifier->limits.name};
    found = fh_json_string(delivery->body, &limits, account_name);
  } else if (fh_read_fields(verifier, delivery, scratch, &event) ==
             FH_VERIFIED) {
    found = find_in_fields(event.fields, event.count);
  }
  return found.data && is_account(found) ? found : (fh_slice){NULL, 0};
}
