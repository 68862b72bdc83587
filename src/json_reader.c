#include "json_reader.h"

#include <stdint.h>

#include "json_number.h"

typedef fh_json_reader reader;

/* What may come next. */
enum {
  VALUE,
  FIRST, /* of a container: a value, a name, or its end */
  AFTER, /* a value: a comma or the end */
};

static fh_json_token fail(reader *r, const char *wrong) {
  if (!r->wrong)
    r->wrong = wrong;
  return FH_JSON_WRONG;
}

static bool take(reader *r, char c) {
  if (r->at == r->end || *r->at != c)
    return false;
  r->at++;
  return true;
}

static void skip_space(reader *r) {
  while (r->at < r->end &&
         (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r'))
    r->at++;
}

/* --- strings ------------------------------------------------------------- */

/* The size of the UTF-8 sequence at `s`, or 0: nothing overlong, no
 * surrogates, nothing past U+10FFFF. */
static size_t sequence_size(const unsigned char *s, size_t left) {
  size_t size = s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
  if (size == 0 || s[0] > 0xf4 || size > left)
    return 0;
  unsigned char low = 0x80, high = 0xbf;
  if (s[0] == 0xe0)
    low = 0xa0;
  else if (s[0] == 0xed)
    high = 0x9f;
  else if (s[0] == 0xf0)
    low = 0x90;
  else if (s[0] == 0xf4)
    high = 0x8f;
  if (s[1] < low || s[1] > high)
    return 0;
  for (size_t i = 2; i < size; i++)
    if ((s[i] & 0xc0) != 0x80)
      return 0;
  return size;
}

static int32_t hex4(const char *s) {
  int32_t value = 0;
  for (int i = 0; i < 4; i++) {
    char c = s[i];
    int digit = c >= '0' && c <= '9' ? c - '0' : -1;
    c |= 0x20;
    if (digit < 0 && c >= 'a' && c <= 'f')
      digit = c - 'a' + 10;
    if (digit < 0)
      return -1;
    value = value * 16 + digit;
  }
  return value;
}

/* Four hex digits at the cursor, which moves behind them; or -1. */
static int32_t take_hex4(const char **at, const char *end) {
  if (end - *at < 4)
    return -1;
  int32_t value = hex4(*at);
  if (value >= 0)
    *at += 4;
  return value;
}

/* The code point of a \u escape whose `\u` was read; or -1. */
static int32_t take_code_point(const char **at, const char *end) {
  int32_t first = take_hex4(at, end);
  if (first < 0xd800 || first > 0xdfff)
    return first;
  if (first > 0xdbff || end - *at < 2 || (*at)[0] != '\\' || (*at)[1] != 'u')
    return -1;
  *at += 2;
  int32_t second = take_hex4(at, end);
  if (second < 0xdc00 || second > 0xdfff)
    return -1;
  return 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
}

/* What an escape stands for, from behind its backslash on; or -1. */
static int32_t take_escape(const char **at, const char *end) {
  static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
  char c = *(*at)++;
  if (c == 'u')
    return take_code_point(at, end);
  const char *letter = memchr(letters, c, sizeof letters - 1);
  return letter ? meant[letter - letters] : -1;
}

static size_t utf8_size(int32_t c) {
  return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
}

static char *write_utf8(char *out, int32_t c) {
  static const int lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
  size_t size = utf8_size(c);
  if (size == 1) {
    *out = (char)c;
    return out + 1;
  }
  int trailing = (int)size - 1;
  *out++ = (char)(lead[size] | c >> 6 * trailing);
  while (trailing-- > 0)
    *out++ = (char)(0x80 | (c >> 6 * trailing & 0x3f));
  return out;
}

/* Bytes of a string that stand for themselves. */
static bool is_plain(unsigned char c) {
  return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* What ends a run of plain bytes, a quote aside. */
static bool take_special(reader *r) {
  unsigned char c = (unsigned char)*r->at;
  if (c < 0x20)
    return fail(r, "a string has a control byte in it");
  if (c >= 0x80) {
    size_t size = r->limits.bytes ? 1
                                  : sequence_size((const unsigned char *)r->at,
                                                  (size_t)(r->end - r->at));
    r->at += size;
    r->size += size;
    return size > 0 || fail(r, "a string is not UTF-8");
  }
  if (++r->at == r->end)
    return fail(r, "a string does not end");
  int32_t code = take_escape(&r->at, r->end);
  if (code < 0)
    return fail(r, "a string has an escape that is none");
  r->size += utf8_size(code);
  return true;
}

/* A string whose quote was read. */
static bool take_string(reader *r) {
  const char *begin = r->at;
  r->size = 0;
  for (;;) {
    const char *run = r->at;
    while (r->at < r->end && is_plain((unsigned char)*r->at))
      r->at++;
    r->size += (size_t)(r->at - run);
    if (r->at == r->end)
      return fail(r, "a string does not end");
    if (*r->at == '"')
      break;
    if (!take_special(r))
      return false;
  }
  r->text = (fh_slice){begin, (size_t)(r->at - begin)};
  r->at++;
  return true;
}

void fh_json_unescape(const fh_json_reader *r, char *out) {
  const char *at = r->text.data, *end = at + r->text.size;
  while (at < end) {
    const char *escape = memchr(at, '\\', (size_t)(end - at));
    size_t plain = (size_t)((escape ? escape : end) - at);
    memcpy(out, at, plain);
    out += plain;
    at += plain;
    if (escape) {
      at++;
      out = write_utf8(out, take_escape(&at, end));
    }
  }
}

/* --- values -------------------------------------------------------------- */

static bool in_object(const reader *r) {
  size_t i = r->depth - 1;
  return r->objects[i / 8] >> i % 8 & 1;
}

static fh_json_token open_container(reader *r, fh_json_token token) {
  size_t i = r->depth;
  if (i == r->limits.depth || i == FH_JSON_DEPTH)
    return fail(r, "it is nested too deeply");
  unsigned char bit = (unsigned char)(1u << i % 8);
  if (token == FH_JSON_OBJECT)
    r->objects[i / 8] |= bit;
  else
    r->objects[i / 8] &= (unsigned char)~bit;
  r->depth++;
  r->at++;
  r->state = FIRST;
  return token;
}

static fh_json_token take_word(reader *r, const char *word,
                               fh_json_token token) {
  size_t size = strlen(word);
  if ((size_t)(r->end - r->at) < size || memcmp(r->at, word, size) != 0)
    return fail(r, "a value is missing");
  r->at += size;
  return token;
}

static fh_json_token take_number(reader *r) {
  const char *begin = r->at;
  const char *wrong = fh_json_number(&r->at, r->end);
  r->text = (fh_slice){begin, (size_t)(r->at - begin)};
  return wrong ? fail(r, wrong) : FH_JSON_NUMBER;
}

static fh_json_token take_value(reader *r) {
  r->state = AFTER;
  char c = r->at < r->end ? *r->at : '\0';
  switch (c) {
  case '{':
    return open_container(r, FH_JSON_OBJECT);
  case '[':
    return open_container(r, FH_JSON_ARRAY);
  case '"':
    r->at++;
    return take_string(r) ? FH_JSON_STRING : FH_JSON_WRONG;
  case 't':
    return take_word(r, "true", FH_JSON_TRUE);
  case 'f':
    return take_word(r, "false", FH_JSON_FALSE);
  case 'n':
    return take_word(r, "null", FH_JSON_NULL);
  default:
    return c == '-' || (c >= '0' && c <= '9') ? take_number(r)
                                              : fail(r, "a value is missing");
  }
}

static fh_json_token take_name(reader *r) {
  if (!take(r, '"'))
    return fail(r, "an object's name is missing");
  if (!take_string(r))
    return FH_JSON_WRONG;
  if (r->size > r->limits.name)
    return fail(r, "an object's name is too long");
  skip_space(r);
  if (!take(r, ':'))
    return fail(r, "a colon is missing");
  r->state = VALUE;
  return FH_JSON_NAME;
}

/* The next member or element of the innermost container, or its end. */
static fh_json_token take_item(reader *r, bool first) {
  bool object = in_object(r);
  if (take(r, object ? '}' : ']')) {
    r->depth--;
    r->state = AFTER;
    return object ? FH_JSON_END_OBJECT : FH_JSON_END_ARRAY;
  }
  if (!first && !take(r, ','))
    return fail(r, object ? "an object does not go on"
                          : "an array does not go on");
  skip_space(r);
  return object ? take_name(r) : take_value(r);
}

void fh_json_begin(fh_json_reader *r, fh_slice text,
                   const fh_json_limits *limits) {
  r->at = text.size > 0 ? text.data : "";
  r->end = r->at + text.size;
  r->wrong = NULL;
  r->depth = 0;
  r->limits = *limits;
  r->state = VALUE;
}

fh_json_token fh_json_next(fh_json_reader *r) {
  if (r->wrong)
    return FH_JSON_WRONG;
  skip_space(r);
  if (r->state == VALUE)
    return take_value(r);
  if (r->depth > 0)
    return take_item(r, r->state == FIRST);
  return r->at == r->end ? FH_JSON_END
                         : fail(r, "something follows the value");
}
