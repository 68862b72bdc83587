#include "json_text.h"

#include <stdint.h>
#include <stdio.h>

#define ONES  UINT64_C(0x0101010101010101)
#define HIGHS UINT64_C(0x8080808080808080)

enum {
  ESCAPED = 6, /* bytes of the longest escape, \u0000 */
  WORD = sizeof(uint64_t),
};

static bool is_special(char c) {
  return (unsigned char)c < 0x20 || c == '"' || c == '\\';
}

/* The highest bit of each byte that is special; a byte above one may have it
 * too, so only "none" is to be believed. */
static uint64_t specials(uint64_t word) {
  uint64_t below_space = word - 0x20 * ONES;
  uint64_t quote = (word ^ '"' * ONES) - ONES;
  uint64_t backslash = (word ^ '\\' * ONES) - ONES;
  return (below_space | quote | backslash) & ~word & HIGHS;
}

static uint64_t word_at(const char *data) {
  uint64_t word;
  memcpy(&word, data, sizeof word);
  return word;
}

/* The last word overlaps the one before: no byte is looked at alone. */
static bool long_may_hold_special(fh_slice text) {
  for (size_t i = 0; i < text.size - WORD; i += WORD)
    if (specials(word_at(text.data + i)))
      return true;
  return specials(word_at(text.data + text.size - WORD));
}

static size_t count_specials(fh_slice text) {
  size_t count = 0;
  if (text.size >= WORD && !long_may_hold_special(text))
    return 0;
  for (size_t i = 0; i < text.size; i++)
    count += is_special(text.data[i]);
  return count;
}

size_t fh_json_string_room(fh_slice text) {
  size_t count = count_specials(text);
  if (count > (SIZE_MAX - text.size - 2) / (ESCAPED - 1))
    return SIZE_MAX;
  return text.size + count * (ESCAPED - 1) + 2;
}

static char *put_escape(char *out, char c) {
  static const char digits[] = "0123456789abcdef";
  *out++ = '\\';
  if (c == '"' || c == '\\') {
    *out++ = c;
    return out;
  }
  memcpy(out, "u00", 3);
  out[3] = digits[(unsigned char)c >> 4];
  out[4] = digits[(unsigned char)c & 15];
  return out + 5;
}

static char *put_escaped(char *out, fh_slice text) {
  for (size_t i = 0; i < text.size; i++) {
    if (is_special(text.data[i]))
      out = put_escape(out, text.data[i]);
    else
      *out++ = text.data[i];
  }
  return out;
}

char *fh_json_put_string(char *out, fh_slice text, size_t room) {
  *out++ = '"';
  if (room > text.size + 2) {
    out = put_escaped(out, text);
  } else if (text.size > 0) {
    memcpy(out, text.data, text.size);
    out += text.size;
  }
  *out++ = '"';
  return out;
}

/* The last word overlaps the one before. */
static bool copy_words(char *out, fh_slice text) {
  size_t last = text.size - WORD;
  uint64_t word = word_at(text.data + last), found = specials(word);
  memcpy(out + last, &word, WORD);
  for (size_t i = 0; i < last; i += WORD) {
    word = word_at(text.data + i);
    found |= specials(word);
    memcpy(out + i, &word, WORD);
  }
  return !found;
}

static bool copy_bytes(char *out, fh_slice text) {
  for (size_t i = 0; i < text.size; i++) {
    if (is_special(text.data[i]))
      return false;
    out[i] = text.data[i];
  }
  return true;
}

char *fh_json_put_plain(char *out, fh_slice text) {
  *out++ = '"';
  if (!(text.size < WORD ? copy_bytes : copy_words)(out, text))
    return NULL;
  out[text.size] = '"';
  return out + text.size + 1;
}

static char *put_digits(char *out, uint64_t number, int least) {
  char digits[20];
  int count = 0;
  for (; number > 0 || count < least; number /= 10)
    digits[count++] = (char)('0' + number % 10);
  while (count > 0)
    *out++ = digits[--count];
  return out;
}

/* Times are numbers of at most six decimals: their digits are those of a whole
 * number of millionths, which costs a tenth of finding them in general. A
 * quotient is rounded like what a reader makes of the text, so where the one
 * is the number, the other is. */
static char *put_millionths(char *out, uint64_t millionths) {
  out = put_digits(out, millionths / 1000000, 1);
  if (millionths % 1000000 == 0)
    return out;
  *out++ = '.';
  out = put_digits(out, millionths % 1000000, 6);
  while (out[-1] == '0')
    out--;
  return out;
}

/* A process may run under a locale that writes a comma. A whole number gets a
 * point, because beyond 2^53 its last digits may be another's. */
static char *put_exactly(char *out, double number) {
  size_t size = (size_t)snprintf(out, FH_JSON_NUMBER_ROOM, "%.17g", number);
  char *comma = memchr(out, ',', size);
  if (comma)
    *comma = '.';
  if (!memchr(out, '.', size) && !memchr(out, 'e', size)) {
    memcpy(out + size, ".0", 2);
    size += 2;
  }
  return out + size;
}

char *fh_json_put_number(char *out, double number) {
  const double exact = 9007199254740992.0; /* 2^53 */
  double size = number < 0 ? -number : number;
  if (size < exact && (double)(uint64_t)size == size) {
    if (number < 0)
      *out++ = '-';
    return put_digits(out, (uint64_t)size, 1);
  }
  if (size < exact / 1e6) {
    uint64_t millionths = (uint64_t)(size * 1e6 + 0.5);
    if ((double)millionths / 1e6 == size) {
      if (number < 0)
        *out++ = '-';
      return put_millionths(out, millionths);
    }
  }
  return put_exactly(out, number);
}
