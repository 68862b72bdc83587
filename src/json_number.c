#include "json_number.h"

#include <stdlib.h>
#include <string.h>

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

/* --- values -------------------------------------------------------------- */

/* More digits than decide between two doubles; of the rest it counts only
 * whether there is one that is not 0. */
enum { DIGITS = 800, EXPONENT = 100000 };

typedef struct decimal {
  uint64_t start;           /* of the first 19 digits, as a whole number */
  size_t count;             /* of the digits kept */
  int64_t exponent;         /* of ten, for the digits as a whole number */
  bool more;                /* digits that are not 0 were left out */
  char digits[DIGITS + 32]; /* room for an exponent too */
} decimal;

static void add_digit(decimal *d, char digit) {
  if (d->count == 0 && digit == '0')
    return;
  if (d->count == DIGITS) {
    d->more |= digit != '0';
    d->exponent++;
    return;
  }
  if (d->count < 19)
    d->start = d->start * 10 + (uint64_t)(digit - '0');
  d->digits[d->count++] = digit;
}

/* The digits and the exponent of a number that follows the grammar. */
static void split(decimal *d, reader *r) {
  while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
    add_digit(d, *r->at++);
  if (take(r, '.'))
    while (r->at < r->end && *r->at >= '0' && *r->at <= '9') {
      add_digit(d, *r->at++);
      d->exponent--;
    }
  int64_t exponent;
  take_exponent(r, &exponent);
  d->exponent += exponent;
}

/* Writes an exponent of at most six digits behind the digits. */
static void put_exponent(decimal *d) {
  int64_t exponent = d->exponent;
  char *out = d->digits + d->count;
  *out++ = 'e';
  if (exponent < 0)
    *out++ = '-';
  int64_t left = exponent < 0 ? -exponent : exponent;
  left = left > EXPONENT ? EXPONENT : left;
  for (int64_t place = EXPONENT; place > 0; place /= 10)
    *out++ = (char)('0' + left / place % 10);
  *out = '\0';
}

/* Without a point, which a locale may write otherwise. */
static double convert(decimal *d) {
  if (d->more)
    d->digits[DIGITS - 1] |= 1;
  put_exponent(d);
  return strtod(d->digits, NULL);
}

/* Nearly all whole numbers are plain digits. False if there are others, or
 * more than 64 bits hold. */
static bool plain_digits(reader r, uint64_t *value) {
  if (r.end - r.at > 19)
    return false;
  *value = 0;
  for (; r.at < r.end; r.at++) {
    if (*r.at < '0' || *r.at > '9')
      return false;
    *value = *value * 10 + (uint64_t)(*r.at - '0');
  }
  return true;
}

/* The digits as a whole number; false if some stand behind the point, or if
 * there may be too many. */
static bool join_digits(const decimal *d, uint64_t *value) {
  size_t count = d->count;
  int64_t exponent = d->exponent;
  for (; count > 0 && exponent < 0 && d->digits[count - 1] == '0'; count--)
    exponent++;
  if (count == 0)
    exponent = 0;
  if (d->more || exponent < 0 || exponent > 19 ||
      count + (size_t)exponent > 19)
    return false;
  *value = 0;
  for (size_t i = 0; i < count; i++)
    *value = *value * 10 + (uint64_t)(d->digits[i] - '0');
  for (; exponent > 0; exponent--)
    *value *= 10;
  return true;
}

/* The same with a point or an exponent. */
static bool other_digits(reader r, uint64_t *value) {
  size_t size = (size_t)(r.end - r.at);
  if (r.end[-1] != '0' && !memchr(r.at, 'e', size) && !memchr(r.at, 'E', size))
    return false;
  decimal d;
  d.start = 0, d.count = 0, d.exponent = 0, d.more = false;
  split(&d, &r);
  return join_digits(&d, value) && *value >> 53 == 0;
}

bool fh_json_whole(const char *text, size_t size, int64_t *whole) {
  reader r = {text, text + size};
  uint64_t value;
  bool negative = take(&r, '-');
  if (!plain_digits(r, &value) && !other_digits(r, &value))
    return false;
  if (value > (uint64_t)INT64_MAX + negative || (negative && value == 0))
    return false;
  *whole = negative ? -(int64_t)(value - 1) - 1 : (int64_t)value;
  return true;
}

double fh_json_double(const char *text, size_t size) {
  static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  reader r = {text, text + size};
  decimal d;
  d.start = 0, d.count = 0, d.exponent = 0, d.more = false;
  bool negative = take(&r, '-');
  split(&d, &r);
  double value;
  if (d.count == 0)
    value = 0;
  else if (d.start >> 53 != 0 || d.count > 19 || d.exponent < -22 ||
           d.exponent > 22)
    value = convert(&d);
  else /* both are exact, so that one rounding is all there is */
    value = d.exponent < 0 ? (double)d.start / tens[-d.exponent]
                           : (double)d.start * tens[d.exponent];
  return negative ? -value : value;
}
