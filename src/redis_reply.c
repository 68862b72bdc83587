#include "redis_reply.h"

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
  if (resp->depth == FH_RESP_MAX_DEPTH)
    return "arrays that are nested too deep";
  if ((size_t)count > FH_RESP_MAX_ELEMENTS - resp->elements)
    return "a reply of too many elements";
  resp->elements += (size_t)count;
  resp->left[resp->depth++] = (size_t)count;
  return NULL;
}

static const char *bulk_header(fh_resp *resp, long size) {
  if (size < -1)
    return "a string of a negative length";
  if (size > FH_RESP_MAX_BULK)
    return "a string that is too long";
  if (size < 0)
    return NULL;
  resp->skip = (size_t)size + 2;
  resp->bytes += resp->skip;
  return NULL;
}

/* Counts an element in the array around it. One outside of arrays begins a
 * reply. */
static void count_element(fh_resp *resp) {
  while (resp->depth > 0 && resp->left[resp->depth - 1] == 0)
    resp->depth--;
  if (resp->depth > 0) {
    resp->left[resp->depth - 1]--;
  } else {
    resp->elements = 0;
    resp->bytes = 0;
  }
}

static const char *check_header(fh_resp *resp) {
  long value = 0;
  switch (resp->head[0]) {
  case '*':
  case '$':
    if (!number_of(resp->head + 1, &value))
      return "a length that cannot be";
    return resp->head[0] == '*' ? array_header(resp, value)
                                : bulk_header(resp, value);
  case '+':
  case '-':
  case ':':
    return NULL;
  default:
    return "a reply of an unknown type";
  }
}

/* A whole line was read: an element has begun, and mostly ended with it. */
static const char *end_line(fh_resp *resp) {
  size_t kept = resp->line - 1; /* without the CR */
  resp->head[kept < sizeof resp->head ? kept : sizeof resp->head - 1] = '\0';
  count_element(resp);
  resp->bytes += resp->line + 1;
  resp->line = 0;
  const char *wrong = check_header(resp);
  return wrong || resp->bytes <= FH_RESP_MAX_REPLY
             ? wrong
             : "a reply that is too long";
}

/* Takes one byte of a line. CR LF ends one, and neither stands alone: parsers
 * of some versions take that, and others do not. */
static const char *take_byte(fh_resp *resp, char byte) {
  if (resp->after_cr != (byte == '\n'))
    return "a CR or LF within a line";
  resp->after_cr = byte == '\r';
  if (byte == '\n')
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
