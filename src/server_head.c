#include "server_head.h"

#include <string.h>
#include <strings.h>

/* A set of ASCII characters has a bit for each. */
static bool is_among(const uint32_t bits[4], char character) {
  unsigned char c = (unsigned char)character;
  return c < 128 && (bits[c >> 5] >> (c & 31) & 1);
}

/* Letters, digits and !#$%&'*+-.^_`|~ */
bool fh_head_token(char c) {
  static const uint32_t bits[4] = {0, 0x03ff6cfa, 0xc7fffffe, 0x57ffffff};
  return is_among(bits, c);
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

static bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is(const char *name, const char *data, size_t size) {
  return size == strlen(name) && strncasecmp(name, data, size) == 0;
}

static size_t scheme_size(const char *target, size_t size) {
  static const char *const schemes[] = {"http://", "https://"};
  for (size_t i = 0; i < 2; i++) {
    size_t length = strlen(schemes[i]);
    if (size > length && strncasecmp(target, schemes[i], length) == 0)
      return length;
  }
  return 0;
}

bool fh_head_method(const char *method) {
  for (const char *at = method; *at; at++)
    if (!fh_head_token(*at))
      return false;
  return *method != '\0';
}

unsigned fh_head_target(const char *target, size_t size) {
  if (size == 0 || (target[0] != '/' && !is("*", target, size) &&
                    scheme_size(target, size) == 0))
    return 400;
  bool in_query = false;
  for (size_t i = 0; i < size; i++) {
    unsigned char c = (unsigned char)target[i];
    if (c <= ' ' || c == 0x7f || c == '#')
      return 400;
    in_query = in_query || c == '?';
    if (c == '%' && !in_query &&
        (size - i < 3 || !is_hex(target[i + 1]) || !is_hex(target[i + 2])))
      return 400;
  }
  return 0;
}

size_t fh_head_path(const char *target, size_t size) {
  size_t at = scheme_size(target, size);
  if (at == 0)
    return 0;
  while (at < size && target[at] != '/' && target[at] != '?')
    at++;
  return at;
}

static void refuse(fh_head *head, unsigned status) {
  if (head->status == 0)
    head->status = status;
}

/* A host, an address in brackets and a port consist of letters, digits and
 * !$%&'()*+-.:;=[]_~; a list, a path or userinfo does not. */
static bool is_host(const char *value, size_t size) {
  static const uint32_t bits[4] = {0, 0x2fff6ff2, 0xaffffffe, 0x47fffffe};
  for (size_t i = 0; i < size; i++)
    if (!is_among(bits, value[i]))
      return false;
  return true;
}

static void read_length(fh_head *head, const char *value, size_t size) {
  uint64_t length = 0;
  head->lengths++;
  if (size == 0)
    refuse(head, 400);
  for (size_t i = 0; i < size; i++) {
    if (!is_digit(value[i])) {
      refuse(head, 400);
      return;
    }
    unsigned digit = (unsigned)(value[i] - '0');
    length =
        length > (UINT64_MAX - digit) / 10 ? UINT64_MAX : length * 10 + digit;
  }
  head->length = length;
}

/* Known codings under "chunked" are well-formed but not ours (501); all else
 * that is not exactly "chunked" may mean something to another parser:
 * libmicrohttpd knows no "chunked " and reads its body to the end of the
 * connection. */
static void read_coding(fh_head *head, const char *value, size_t size) {
  static const char *const others[] = {"gzip, chunked", "deflate, chunked",
                                       "compress, chunked", "gzip,chunked",
                                       "x-gzip, chunked"};
  head->codings++;
  if (is("chunked", value, size)) {
    head->chunked = true;
    return;
  }
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    if (is(others[i], value, size))
      refuse(head, 501);
  refuse(head, 400);
}

/* Returns whether "close" is among the options of a Connection header. */
static bool has_close(const char *value, size_t size) {
  static const char blanks[] = " \t,";
  for (size_t at = 0; at < size;) {
    size_t length = 0;
    while (at + length < size && !strchr(blanks, value[at + length]))
      length++;
    if (is("close", value + at, length))
      return true;
    at += length + 1;
  }
  return false;
}

static void check_name(fh_head *head, const char *name, size_t size) {
  if (size == 0)
    refuse(head, 400);
  for (size_t i = 0; i < size; i++)
    if (!fh_head_token(name[i]))
      refuse(head, 400);
}

#define EACH(byte) (UINT64_MAX / 255 * (byte))

/* Is one of eight bytes below a space, or DEL? */
static bool may_be_control(const char *bytes) {
  uint64_t word;
  memcpy(&word, bytes, sizeof word);
  uint64_t del = word ^ EACH(0x7f);
  return (((word - EACH(0x20)) & ~word) | ((del - EACH(1)) & ~del)) &
         EACH(0x80);
}

static void check_value(fh_head *head, const char *value, size_t size) {
  for (size_t i = 0; i < size; i++) {
    while (size - i >= 8 && !may_be_control(value + i))
      i += 8;
    unsigned char c = i < size ? (unsigned char)value[i] : ' ';
    if ((c < ' ' && c != '\t') || c == 0x7f)
      refuse(head, 400);
  }
}

void fh_head_field(fh_head *head, const fh_head_limits *limits,
                   const char *name, size_t name_size, const char *value,
                   size_t value_size) {
  size_t bytes = name_size + value_size + 4; /* ": " and the line end */
  head->bytes += bytes;
  head->count++;
  if (bytes - 2 > limits->field || head->bytes > limits->headers ||
      head->count > limits->count)
    refuse(head, 431);
  const size_t whole = value_size;
  while (value_size > 0 &&
         (value[value_size - 1] == ' ' || value[value_size - 1] == '\t'))
    value_size--;
  check_name(head, name, name_size);
  check_value(head, value, value_size);
  if (is("content-length", name, name_size)) {
    read_length(head, value, value_size);
  } else if (is("transfer-encoding", name, name_size)) {
    read_coding(head, value, whole);
  } else if (is("host", name, name_size)) {
    head->hosts++;
    if (!is_host(value, value_size))
      refuse(head, 400);
  } else if (is("connection", name, name_size)) {
    head->last = head->last || has_close(value, value_size);
  }
}

unsigned fh_head_verdict(fh_head *head, const fh_head_limits *limits,
                         char minor) {
  head->last = head->last || head->chunked || minor == '0';
  if (head->status != 0)
    return head->status;
  if (head->hosts > 1 || (head->hosts == 0 && minor != '0'))
    return 400;
  if (head->lengths > 1 || head->codings > 1 ||
      (head->codings == 1 && (head->lengths > 0 || minor == '0')))
    return 400;
  return head->lengths == 1 && head->length > limits->body ? 413 : 0;
}

/* Takes account of the line, which has no line end any more. */
static void read_line(fh_head *head, const fh_head_limits *limits,
                      const char *line, size_t size) {
  const char *colon = memchr(line, ':', size);
  if (!colon) {
    refuse(head, 400);
    return;
  }
  const char *value = colon + 1, *end = line + size;
  while (value < end && (*value == ' ' || *value == '\t'))
    value++;
  fh_head_field(head, limits, line, (size_t)(colon - line), value,
                (size_t)(end - value));
}

size_t fh_head_lines(fh_head *head, const fh_head_limits *limits,
                     const char *raw, size_t size) {
  size_t at = 0;
  while (at < size && head->status == 0) {
    const char *line = raw + at;
    const char *end = memchr(line, '\n', size - at);
    if (!end)
      return 0;
    at = (size_t)(end - raw) + 1;
    if (end == line || end[-1] != '\r')
      refuse(head, 400);
    else if (end == line + 1)
      return at;
    else
      read_line(head, limits, line, (size_t)(end - line) - 1);
  }
  return 0;
}
