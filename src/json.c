#include "json.h"

#include <stdint.h>
#include <stdlib.h>

#include "json_number.h"
#include "sort.h"

typedef struct reader {
  const char *begin;
  const char *at;
  const char *end;
  size_t depth;
  const fh_json_limits *limits;
  const char *wrong; /* NULL so far */
  fh_slice *names;   /* of the open objects, the innermost's last; owned */
  size_t name_count;
  size_t name_room;
  char *unescaped; /* names that had escapes, text.size bytes; owned */
  size_t unescaped_size;
  fh_slice wanted; /* the name that fh_json_string looks for, or NULL */
  fh_slice found;
  bool ambiguous;
} reader;

static bool fail(reader *r, const char *wrong) {
  if (!r->wrong)
    r->wrong = wrong;
  return false;
}

static bool at_byte(const reader *r, char c) {
  return r->at < r->end && *r->at == c;
}

static bool take(reader *r, char c) {
  if (!at_byte(r, c))
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

/* The size of the UTF-8 sequence at the cursor, or 0: nothing overlong, no
 * surrogates, nothing past U+10FFFF. */
static size_t sequence_size(const reader *r) {
  const unsigned char *s = (const unsigned char *)r->at;
  size_t left = (size_t)(r->end - r->at);
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
static int32_t take_hex4(reader *r) {
  if (r->end - r->at < 4)
    return -1;
  int32_t value = hex4(r->at);
  if (value >= 0)
    r->at += 4;
  return value;
}

/* The code point of a \u escape whose `\u` was read; or -1. */
static int32_t take_code_point(reader *r) {
  int32_t first = take_hex4(r);
  if (first < 0xd800 || first > 0xdfff)
    return first;
  if (first > 0xdbff || !take(r, '\\') || !take(r, 'u'))
    return -1;
  int32_t second = take_hex4(r);
  if (second < 0xdc00 || second > 0xdfff)
    return -1;
  return 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
}

static char *write_utf8(char *out, int32_t c) {
  if (c < 0x80) {
    *out++ = (char)c;
    return out;
  }
  int trailing = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
  static const int lead[] = {0, 0xc0, 0xe0, 0xf0};
  *out++ = (char)(lead[trailing] | c >> 6 * trailing);
  while (trailing-- > 0)
    *out++ = (char)(0x80 | (c >> 6 * trailing & 0x3f));
  return out;
}

/* One escape behind its backslash; written to `out` unless that is NULL. */
static bool take_escape(reader *r, char **out) {
  static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
  if (r->at == r->end)
    return fail(r, "a string does not end");
  char c = *r->at++;
  int32_t code;
  if (c == 'u') {
    code = take_code_point(r);
  } else {
    const char *letter = memchr(letters, c, sizeof letters - 1);
    code = letter ? meant[letter - letters] : -1;
  }
  if (code < 0)
    return fail(r, "a string has an escape that is none");
  if (*out)
    *out = write_utf8(*out, code);
  return true;
}

/* The bytes that stand for themselves, up to a quote or a backslash. */
static bool take_plain(reader *r) {
  while (r->at < r->end && *r->at != '"' && *r->at != '\\') {
    unsigned char c = (unsigned char)*r->at;
    if (c < 0x20)
      return fail(r, "a string has a control byte in it");
    size_t size = c < 0x80 ? 1 : sequence_size(r);
    if (size == 0)
      return fail(r, "a string is not UTF-8");
    r->at += size;
  }
  return r->at < r->end || fail(r, "a string does not end");
}

/* A string whose quote was read. `raw` is what stands between the quotes. */
static bool take_string(reader *r, fh_slice *raw) {
  char *nowhere = NULL;
  const char *begin = r->at;
  while (take_plain(r) && !at_byte(r, '"')) {
    r->at++;
    if (!take_escape(r, &nowhere))
      return false;
  }
  if (r->wrong)
    return false;
  *raw = (fh_slice){begin, (size_t)(r->at - begin)};
  r->at++;
  return true;
}

static bool take_number(reader *r) {
  const char *wrong = fh_json_number(&r->at, r->end);
  return !wrong || fail(r, wrong);
}

/* --- names --------------------------------------------------------------- */

/* What a name is once its escapes are read; they only ever make it shorter, so
 * that one block as long as the text holds all of them. */
static bool unescape(reader *r, fh_slice raw, fh_slice *name) {
  *name = raw;
  if (!memchr(raw.data, '\\', raw.size))
    return true;
  if (!r->unescaped)
    r->unescaped = malloc((size_t)(r->end - r->begin));
  if (!r->unescaped)
    return fail(r, "not enough memory");
  char *begin = r->unescaped + r->unescaped_size, *out = begin;
  reader inner = {.at = raw.data, .end = raw.data + raw.size};
  while (inner.at < inner.end) {
    char c = *inner.at++;
    if (c == '\\')
      take_escape(&inner, &out);
    else
      *out++ = c;
  }
  *name = (fh_slice){begin, (size_t)(out - begin)};
  r->unescaped_size += name->size;
  return true;
}

static bool remember_name(reader *r, fh_slice name) {
  if (r->name_count == r->name_room) {
    size_t room = r->name_room ? 2 * r->name_room : 32;
    fh_slice *names = realloc(r->names, room * sizeof *names);
    if (!names)
      return fail(r, "not enough memory");
    r->names = names;
    r->name_room = room;
  }
  r->names[r->name_count++] = name;
  return true;
}

static int compare_names(const void *a, const void *b) {
  return fh_slice_compare(*(const fh_slice *)a, *(const fh_slice *)b);
}

/* Forgets the names from `first` on, which are those of one object. */
static bool close_names(reader *r, size_t first) {
  size_t count = r->name_count - first;
  if (count == 0)
    return true;
  fh_slice *names = r->names + first;
  fh_sort(names, count, sizeof *names, compare_names);
  for (size_t i = 1; i < count; i++)
    if (fh_slice_equal(names[i - 1], names[i]))
      return fail(r, "an object has a name twice");
  r->name_count = first;
  return true;
}

static bool take_name(reader *r, fh_slice *name) {
  fh_slice raw;
  if (!take(r, '"'))
    return fail(r, "an object's name is missing");
  if (!take_string(r, &raw) || !unescape(r, raw, name))
    return false;
  if (name->size > r->limits->name)
    return fail(r, "an object's name is too long");
  return remember_name(r, *name);
}

/* --- values -------------------------------------------------------------- */

static bool take_value(reader *r);

/* Does the object that is open belong to an event: the text itself, or an
 * element of the array that the text is? */
static bool is_outer(const reader *r) {
  return r->depth == 1 || (r->depth == 2 && *r->begin == '[');
}

static void note_wanted(reader *r, fh_slice value) {
  if (value.size < 2 || *value.data != '"') {
    r->ambiguous = true;
    return;
  }
  fh_slice inside = {value.data + 1, value.size - 2};
  if (r->found.data && !fh_slice_equal(r->found, inside))
    r->ambiguous = true;
  r->found = inside;
}

static bool take_member(reader *r) {
  fh_slice name;
  if (!take_name(r, &name))
    return false;
  skip_space(r);
  if (!take(r, ':'))
    return fail(r, "a colon is missing");
  skip_space(r);
  const char *begin = r->at;
  if (!take_value(r))
    return false;
  if (r->wanted.data && is_outer(r) && fh_slice_equal(name, r->wanted))
    note_wanted(r, (fh_slice){begin, (size_t)(r->at - begin)});
  return true;
}

/* The elements or members of what was opened, up to its `closing`. */
static bool take_items(reader *r, char closing, bool (*item)(reader *)) {
  skip_space(r);
  if (take(r, closing))
    return true;
  for (;;) {
    skip_space(r);
    if (!item(r))
      return false;
    skip_space(r);
    if (take(r, closing))
      return true;
    if (!take(r, ','))
      return fail(r, closing == ']' ? "an array does not go on"
                                    : "an object does not go on");
  }
}

static bool take_nested(reader *r) {
  if (r->depth == r->limits->depth || r->depth == FH_JSON_DEPTH)
    return fail(r, "it is nested too deeply");
  r->depth++;
  size_t first = r->name_count;
  bool good = take(r, '[') ? take_items(r, ']', take_value)
                           : take(r, '{') && take_items(r, '}', take_member);
  r->depth--;
  return good && close_names(r, first);
}

static bool take_word(reader *r, const char *word) {
  size_t size = strlen(word);
  if ((size_t)(r->end - r->at) < size || memcmp(r->at, word, size) != 0)
    return fail(r, "a value is missing");
  r->at += size;
  return true;
}

static bool take_value(reader *r) {
  fh_slice ignored;
  switch (r->at < r->end ? *r->at : '\0') {
  case '{':
  case '[':
    return take_nested(r);
  case '"':
    r->at++;
    return take_string(r, &ignored);
  case 't':
    return take_word(r, "true");
  case 'f':
    return take_word(r, "false");
  case 'n':
    return take_word(r, "null");
  default:
    break;
  }
  if (r->at < r->end && (*r->at == '-' || (*r->at >= '0' && *r->at <= '9')))
    return take_number(r);
  return fail(r, "a value is missing");
}

static void read_text(reader *r, fh_slice text, const fh_json_limits *limits) {
  const char *bytes = text.size > 0 ? text.data : "";
  r->begin = r->at = bytes;
  r->end = bytes + text.size;
  r->limits = limits;
  skip_space(r);
  r->begin = r->at;
  if (take_value(r)) {
    skip_space(r);
    if (r->at < r->end)
      fail(r, "something follows the value");
  }
  free(r->names);
  free(r->unescaped);
}

const char *fh_json_check(fh_slice text, const fh_json_limits *limits,
                          size_t *where) {
  reader r = {.wanted = {NULL, 0}};
  read_text(&r, text, limits);
  if (where)
    *where = text.size > 0 ? (size_t)(r.at - text.data) : 0;
  return r.wrong;
}

fh_slice fh_json_string(fh_slice text, const fh_json_limits *limits,
                        fh_slice name) {
  reader r = {.wanted = name};
  read_text(&r, text, limits);
  return r.wrong || r.ambiguous ? (fh_slice){NULL, 0} : r.found;
}
