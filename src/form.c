#include "form.h"

#include "sort.h"

/* What a byte means in a name, and in a value. */
enum { PLAIN = 0, ENDS_NAME = 1, ENDS_VALUE = 2, DECODED = 4 };

static const unsigned char meaning[256] = {
    ['\0'] = DECODED,
    ['%'] = DECODED,
    ['+'] = DECODED,
    ['='] = ENDS_NAME,
    ['&'] = ENDS_NAME | ENDS_VALUE,
};

typedef struct parser {
  const char *at;
  const char *end;
  char *out; /* free scratch; never passes the bytes read so far */
  bool malformed;
} parser;

static unsigned char kind_at(const char *at) {
  return meaning[(unsigned char)*at];
}

static int hex_digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  c |= 0x20;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte at the cursor, which moves on. A bad escape stands for its `%`, so
 * that the rest can still be measured against the caps. */
static char decode_byte(parser *p) {
  char c = *p->at++;
  if (c == '+')
    return ' ';
  if (c != '%')
    return c;
  int high = p->end - p->at >= 2 ? hex_digit(p->at[0]) : -1;
  int low = high >= 0 ? hex_digit(p->at[1]) : -1;
  if (low < 0) {
    p->malformed = true;
    return c;
  }
  p->at += 2;
  return (char)(high * 16 + low);
}

/* One name or value, up to a byte of kind `ends`. */
static fh_slice parse_part(parser *p, unsigned char ends) {
  const char *begin = p->at;
  while (p->at < p->end && !(kind_at(p->at) & (ends | DECODED)))
    p->at++;
  size_t plain = (size_t)(p->at - begin);
  if (p->at == p->end || kind_at(p->at) & ends)
    return (fh_slice){begin, plain};
  char *out = p->out;
  memcpy(out, begin, plain);
  p->out += plain;
  while (p->at < p->end && !(kind_at(p->at) & ends)) {
    char c = decode_byte(p);
    if (c == '\0' && ends == ENDS_NAME)
      p->malformed = true;
    *p->out++ = c;
  }
  return (fh_slice){out, (size_t)(p->out - out)};
}

static fh_field parse_field(parser *p) {
  fh_field field;
  field.name = parse_part(p, ENDS_NAME);
  if (p->at < p->end && *p->at == '=')
    p->at++;
  field.value = parse_part(p, ENDS_VALUE);
  return field;
}

size_t fh_form_room(fh_slice text, const fh_form_limits *limits) {
  if (text.size == 0)
    return 0;
  size_t room = 1;
  const char *end = text.data + text.size;
  const char *at = memchr(text.data, '&', text.size);
  for (; at && room < limits->params; room++)
    at = memchr(at + 1, '&', (size_t)(end - at - 1));
  return room < limits->params ? room : limits->params;
}

fh_form_status fh_form_parse(fh_slice text, const fh_form_limits *limits,
                             fh_field *fields, char *scratch, size_t *count) {
  size_t parsed = *count = 0;
  if (text.size == 0)
    return FH_FORM_OK;
  parser p = {text.data, text.data + text.size, scratch, false};
  while (p.at < p.end) {
    if (*p.at == '&') {
      p.at++;
      continue;
    }
    if (parsed == limits->params)
      return FH_FORM_TOO_LARGE;
    fh_field field = parse_field(&p);
    if (field.name.size > limits->name || field.value.size > limits->value)
      return FH_FORM_TOO_LARGE;
    fields[parsed++] = field;
  }
  *count = parsed;
  return p.malformed ? FH_FORM_MALFORMED : FH_FORM_OK;
}

static bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
         c == '*';
}

static char *encode(char *out, fh_slice bytes) {
  static const char digits[] = "0123456789ABCDEF";
  for (size_t i = 0; i < bytes.size; i++) {
    char c = bytes.data[i];
    if (is_unreserved(c)) {
      *out++ = c;
    } else if (c == ' ') {
      *out++ = '+';
    } else {
      *out++ = '%';
      *out++ = digits[(unsigned char)c >> 4];
      *out++ = digits[(unsigned char)c & 15];
    }
  }
  return out;
}

size_t fh_form_encoded_room(fh_field field) {
  return 2 + 3 * (field.name.size + field.value.size);
}

char *fh_form_encode(char *out, fh_field field, bool first) {
  if (!first)
    *out++ = '&';
  out = encode(out, field.name);
  *out++ = '=';
  return encode(out, field.value);
}

static int compare_fields(const void *a, const void *b) {
  const fh_field *left = a, *right = b;
  int order = fh_slice_compare(left->name, right->name);
  return order ? order : fh_slice_compare(left->value, right->value);
}

size_t fh_form_sort(fh_field *fields, size_t count) {
  fh_sort(fields, count, sizeof *fields, compare_fields);
  size_t kept = 0;
  for (size_t i = 0; i < count; i++)
    if (kept == 0 || compare_fields(&fields[kept - 1], &fields[i]) != 0)
      fields[kept++] = fields[i];
  return kept;
}
