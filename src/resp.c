#include "resp.h"

/* The number after the type's byte; false where it is none or too large. */
static bool number_of(const char *digits, long *out) {
  bool negative = *digits == '-';
  long value = 0;
  digits += negative;
  if (!*digits)
    return false;
  for (; *digits; digits++) {
    if (*digits < '0' || *digits > '9' || value > 99999999)
      return false;
    value = value * 10 + (*digits - '0');
  }
  *out = negative ? -value : value;
  return true;
}

static const char *array_header(fh_resp *resp, long count) {
  if (count < -1)
    return "an array of a negative length";
  if (count <= 0)
    return NULL;
  if ((size_t)count > FH_RESP_MAX_ELEMENTS - resp->elements)
    return "a reply of too many elements";
  resp->elements += (size_t)count;
  resp->remaining += (size_t)count;
  return NULL;
}

static const char *bulk_header(fh_resp *resp, long size) {
  if (size < -1)
    return "a string of a negative length";
  if (size > FH_RESP_MAX_BULK)
    return "a string that is too long";
  if (size >= 0)
    resp->skip = (size_t)size + 2;
  return NULL;
}

/* A whole line was read: an element has begun, and mostly ended with it. */
static const char *end_line(fh_resp *resp) {
  const char *wrong = NULL;
  long value = 0;
  size_t kept = resp->line - 1; /* without the CR */
  resp->line = 0;
  resp->head[kept < sizeof resp->head ? kept : sizeof resp->head - 1] = '\0';
  if (resp->remaining == 0)
    resp->elements = 0;
  else
    resp->remaining--;
  switch (resp->head[0]) {
  case '*':
  case '$':
    if (!number_of(resp->head + 1, &value))
      return "a length that cannot be";
    wrong = resp->head[0] == '*' ? array_header(resp, value)
                                 : bulk_header(resp, value);
    return wrong;
  case '+':
  case '-':
  case ':':
    return NULL;
  default:
    return "a reply of an unknown type";
  }
}

/* Takes one byte of a line. Only CR LF ends one, as in hiredis: where the two
 * disagreed, a payload could pass for a header. */
static const char *take_byte(fh_resp *resp, char byte) {
  bool ends = byte == '\n' && resp->after_cr;
  resp->after_cr = byte == '\r';
  if (ends)
    return end_line(resp);
  if (resp->line >= FH_RESP_MAX_LINE)
    return "a line that is too long";
  if (resp->line < sizeof resp->head)
    resp->head[resp->line] = byte;
  resp->line++;
  return NULL;
}

const char *fh_resp_check(fh_resp *resp, const char *data, size_t size) {
  const char *wrong = NULL;
  while (size > 0 && !wrong) {
    size_t step = 1;
    if (resp->skip > 0) {
      step = size < resp->skip ? size : resp->skip;
      resp->skip -= step;
    } else {
      wrong = take_byte(resp, *data);
    }
    data += step;
    size -= step;
  }
  return wrong;
}
