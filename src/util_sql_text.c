#include "util_sql_text.h"

#include <stdint.h>

static bool has_nul(fh_slice bytes) {
  return bytes.size > 0 && memchr(bytes.data, '\0', bytes.size);
}

static size_t count_quotes(fh_slice bytes) {
  size_t count = 0;
  const char *at = bytes.data, *end = at + bytes.size;
  while (at < end && (at = memchr(at, '\'', (size_t)(end - at)))) {
    count++;
    at++;
  }
  return count;
}

size_t fh_sql_literal_room(fh_slice bytes) {
  if (bytes.size > (SIZE_MAX - 3) / 2)
    return SIZE_MAX;
  if (has_nul(bytes))
    return 2 * bytes.size + 3;
  return bytes.size + count_quotes(bytes) + 2;
}

static char *put_hex(char *out, fh_slice bytes) {
  static const char digits[] = "0123456789abcdef";
  for (size_t i = 0; i < bytes.size; i++) {
    *out++ = digits[(unsigned char)bytes.data[i] >> 4];
    *out++ = digits[(unsigned char)bytes.data[i] & 15];
  }
  return out;
}

static char *put_doubled(char *out, fh_slice bytes) {
  for (size_t i = 0; i < bytes.size; i++) {
    if (bytes.data[i] == '\'')
      *out++ = '\'';
    *out++ = bytes.data[i];
  }
  return out;
}

static char *put_plain(char *out, fh_slice bytes) {
  if (bytes.size > 0)
    memcpy(out, bytes.data, bytes.size);
  return out + bytes.size;
}

char *fh_sql_put_literal(char *out, fh_slice bytes, size_t room) {
  bool hex = room == 2 * bytes.size + 3;
  if (hex)
    *out++ = 'x';
  *out++ = '\'';
  if (hex)
    out = put_hex(out, bytes);
  else if (room == bytes.size + 2)
    out = put_plain(out, bytes);
  else
    out = put_doubled(out, bytes);
  *out++ = '\'';
  return out;
}
