#include "json_number.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct reader {
  const char *at;
  const char *end;
} reader;

static bool take(reader *r, char c) {
  if (r->at == r->end || *r->at != c)
    return false;
  r->at++;
  return true;
}

static size_t take_digits(reader *r) {
  const char *begin = r->at;
  while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
    r->at++;
  return (size_t)(r->at - begin);
}

/* An exponent, kept within what no text is long enough to make up for. */
static int64_t exponent_of(const char *digits, size_t count, bool negative) {
  const int64_t enough = INT64_C(1) << 53;
  int64_t value = 0;
  for (size_t i = 0; i < count && value < enough; i++)
    value = value * 10 + (digits[i] - '0');
  return negative ? -value : value;
}

/* Would a number become infinity? `digits` begins with the integer part and
 * may hold a point. Doubles end just below 1.7976931348623158079e308. */
static bool overflows(const char *digits, size_t size, size_t whole,
                      int64_t exponent) {
  static const char last[] = "17976931348623158079";
  size_t i = 0;
  while (i < size && (digits[i] == '0' || digits[i] == '.'))
    i++;
  if (i == size)
    return false;
  int64_t place =
      i < whole ? (int64_t)(whole - i) - 1 : (int64_t)whole - (int64_t)i;
  if (place + exponent != 308)
    return place + exponent > 308;
  for (size_t k = 0; last[k]; k++, i++) {
    if (i < size && digits[i] == '.')
      i++;
    char digit = i < size ? digits[i] : '0';
    if (digit != last[k])
      return digit > last[k];
  }
  return true;
}

/* An exponent, where there is one. False where it has no digits. */
static bool take_exponent(reader *r, int64_t *exponent) {
  *exponent = 0;
  if (!take(r, 'e') && !take(r, 'E'))
    return true;
  bool negative = take(r, '-');
  if (!negative)
    take(r, '+');
  const char *digits = r->at;
  size_t count = take_digits(r);
  *exponent = exponent_of(digits, count, negative);
  return count > 0;
}

static const char *take_number(reader *r) {
  static const char grammar[] = "a number does not follow the grammar";
  take(r, '-');
  const char *begin = r->at;
  size_t whole = take_digits(r);
  if (whole == 0 || (whole > 1 && *begin == '0'))
    return grammar;
  if (take(r, '.') && take_digits(r) == 0)
    return grammar;
  size_t size = (size_t)(r->at - begin);
  int64_t exponent;
  if (!take_exponent(r, &exponent))
    return grammar;
  return overflows(begin, size, whole, exponent) ? "a number is too large"
                                                 : NULL;
}

const char *fh_json_number(const char **at, const char *end) {
  reader r = {*at, end};
  const char *wrong = take_number(&r);
  *at = r.at;
  return wrong;
}
