#include "util_sid.h"

/* Every digit is looked at, wrong ones before it or not, so that the compiler
 * can look at many at once. */
bool fh_is_sid(fh_slice text, const char *kind, bool any_case) {
  if (text.size != FH_SID_SIZE || memcmp(text.data, kind, 2) != 0)
    return false;
  const unsigned char fold = any_case ? 0x20 : 0;
  unsigned wrong = 0;
  for (size_t i = 2; i < FH_SID_SIZE; i++) {
    unsigned char c = (unsigned char)text.data[i];
    unsigned char digit = (unsigned char)(c - '0');
    unsigned char letter = (unsigned char)((c | fold) - 'a');
    wrong |= (digit > 9) & (letter > 5);
  }
  return wrong == 0;
}
