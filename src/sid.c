#include "sid.h"

bool fh_is_sid(fh_slice text, const char *kind, bool any_case) {
  if (text.size != FH_SID_SIZE || memcmp(text.data, kind, 2) != 0)
    return false;
  const char lower = any_case ? 0x20 : 0;
  for (size_t i = 2; i < FH_SID_SIZE; i++) {
    char c = text.data[i], letter = (char)(c | lower);
    if (!(c >= '0' && c <= '9') && !(letter >= 'a' && letter <= 'f'))
      return false;
  }
  return true;
}
