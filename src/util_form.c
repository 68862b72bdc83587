#include "util_form.h"

#include "util_sort.h"

typedef struct parser {
  const char *at;
  const char *end;
  char *out;    /* free scratch; never passes the bytes read so far */
  bool encoded; /* is there anything to decode in the text? */
  bool malformed;
} parser;

static int hex_digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  c |= 0x20;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte at `at`, which moves on. A bad escape stands for its `%`, so that
 * the rest can still be measured against the caps. */
static char decode_byte(parser *p, const char **at, const char *end) {
  char c = *(*at)++;
  if (c == '+')
    return ' ';
  if (c != '%')
    return c;
  int high = end - *at >= 2 ? hex_digit((*at)[0]) : -1;
  int low = high >= 0 ? hex_digit((*at)[1]) : -1;
  if (low < 0) {
    p->malformed = true;
    return c;
  }
  *at += 2;
  return (char)(high * 16 + low);
}

static fh_slice decode(parser *p, const char *begin, const char *end) {
  const char *at = begin;
  while (at < end && *at != '%' && *at != '+')
    at++;
  if (at == end)
    return (fh_slice){begin, (size_t)(end - begin)};
  char *out = p->out;
  memcpy(out, begin, (size_t)(at - begin));
  p->out += at - begin;
  while (at < end)
    *p->out++ = decode_byte(p, &at, end);
  return (fh_slice){out, (size_t)(p->out - out)};
}

static const char *find(const char *begin, const char *end, char c) {
  const char *found = memchr(begin, c, (size_t)(end - begin));
  return found ? found : end;
}

static fh_field parse_field(parser *p) {
  const char *begin = p->at;
  p->at = find(begin, p->end, '&');
  const char *equals = find(begin, p->at, '=');
  const char *value = equals < p->at ? equals + 1 : equals;
  if (!p->encoded)
    return (fh_field){{begin, (size_t)(equals - begin)},
                      {value, (size_t)(p->at - value)}};
  fh_field field;
  field.name = decode(p, begin, equals);
  if (memchr(field.name.data, '\0', field.name.size))
    p->malformed = true;
  field.value = decode(p, value, p->at);
  return field;
}

/* Looked at once for the whole text: most have nothing to decode. */
static bool is_encoded(fh_slice text) {
  return memchr(text.data, '%', text.size) ||
         memchr(text.data, '+', text.size) ||
         memchr(text.data, '\0', text.size);
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
  parser p = {text.data, text.data + text.size, scratch, is_encoded(text),
              false};
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

static inline int compare_fields(const void *a, const void *b) {
  const fh_field *left = a, *right = b;
  int order = fh_slice_compare(left->name, right->name);
  return order ? order : fh_slice_compare(left->value, right->value);
}

/* Most names differ in size already. */
static bool same_field(const fh_field *a, const fh_field *b) {
  return fh_slice_equal(a->name, b->name) &&
         fh_slice_equal(a->value, b->value);
}

size_t fh_form_sort(fh_field *fields, size_t count) {
  fh_sort(fields, count, sizeof *fields, compare_fields);
  size_t kept = 0;
  for (size_t i = 0; i < count; i++)
    if (kept == 0 || !same_field(&fields[kept - 1], &fields[i]))
      fields[kept++] = fields[i];
  return kept;
}
