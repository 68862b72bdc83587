#include "http_response.h"

#include <string.h>
#include <strings.h>

void fh_response_init(fh_response *response, size_t max_body) {
  *response = (fh_response){0};
  fh_buffer_init(&response->head, FH_MAX_RESPONSE_HEAD);
  fh_buffer_init(&response->body, max_body);
}

void fh_response_free(fh_response *response) {
  fh_buffer_free(&response->head);
  fh_buffer_free(&response->body);
}

static bool keep(fh_response *response, fh_buffer *buffer, const char *data,
                 size_t size) {
  switch (fh_buffer_append(buffer, data, size)) {
  case FH_BUFFER_OK:
    return true;
  case FH_BUFFER_FULL:
    response->too_large = true;
    break;
  case FH_BUFFER_NO_MEMORY:
    response->no_memory = true;
    break;
  }
  return false;
}

size_t fh_response_on_body(char *data, size_t one, size_t size, void *owner) {
  fh_response *response = owner;
  (void)one;
  return keep(response, &response->body, data, size) ? size : 0;
}

static bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

fh_text fh_trimmed(const char *data, size_t size) {
  while (size > 0 && (is_blank(data[size - 1]) || data[size - 1] == '\r' ||
                      data[size - 1] == '\n'))
    size--;
  while (size > 0 && is_blank(*data))
    data++, size--;
  return (fh_text){data, size};
}

bool fh_is_token(const char *data, size_t size) {
  static const char marks[] = "!#$%&'*+-.^_`|~";
  for (size_t i = 0; i < size; i++) {
    char c = data[i];
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                 (c >= '0' && c <= '9') || c == '-';
    if (!plain && (c == '\0' || !strchr(marks, c)))
      return false;
  }
  return size > 0;
}

static void lower(char *data, size_t size) {
  for (size_t i = 0; i < size; i++)
    if (data[i] >= 'A' && data[i] <= 'Z')
      data[i] = (char)(data[i] - 'A' + 'a');
}

static bool refuse(fh_response *response, const char *why) {
  response->malformed = why;
  return false;
}

/* --- the status line ------------------------------------------------------
 */

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* Returns the version that a status line begins with, 0 for any other, and the
 * size of that beginning. */
static int read_version(fh_text line, size_t *size) {
  static const struct {
    const char *text;
    int version;
  } known[] = {{"HTTP/1.1 ", 11}, {"HTTP/1.0 ", 10}, {"HTTP/2 ", 20}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    *size = strlen(known[i].text);
    if (line.size > *size && !memcmp(line.data, known[i].text, *size))
      return known[i].version;
  }
  return 0;
}

/* Returns the three digits of a status, 0 for anything else. */
static int read_status(const char *data, size_t size) {
  if (size < 3 || (size > 3 && data[3] != ' ') || data[0] == '0' ||
      !is_digit(data[0]) || !is_digit(data[1]) || !is_digit(data[2]))
    return 0;
  return (data[0] - '0') * 100 + (data[1] - '0') * 10 + (data[2] - '0');
}

static bool begin_head(fh_response *response, fh_text line) {
  size_t size;
  response->version = read_version(line, &size);
  response->status =
      response->version ? read_status(line.data + size, line.size - size) : 0;
  if (response->status == 0 ||
      (response->http1_only && response->version == 20))
    return refuse(response, "the answer does not begin with a status line of "
                            "HTTP");
  response->place = FH_IN_HEAD;
  response->length = response->line = 0;
  response->encoded = response->folded = false;
  fh_buffer_clear(&response->head);
  return true;
}

/* --- headers --------------------------------------------------------------
 */

static bool is_named(const fh_response *response, size_t at,
                     const char *name) {
  size_t size = strlen(name);
  return response->head.size - at > size &&
         !memcmp(response->head.data + at, name, size) &&
         response->head.data[at + size] == ':';
}

/* libcurl reads as many digits as there are, and takes "2x" for 2. */
static bool is_length(const char *digits, size_t size) {
  for (size_t i = 0; i < size; i++)
    if (!is_digit(digits[i]))
      return false;
  return size > 0;
}

/* Checks a Content-Length; `line` has its name and ends with LF. */
static bool check_length(fh_response *response, size_t at, fh_text line) {
  const size_t name = sizeof "content-length:" - 1;
  if (!is_length(line.data + name, line.size - name - 1) ||
      (response->length && memcmp(response->head.data + response->length - 1,
                                  line.data, line.size)))
    return refuse(response, "the answer's head has two body lengths, or one "
                            "that is no number");
  response->length = at + 1;
  return true;
}

/* libcurl would undo other encodings, or not, as its version has it. */
static bool check_encoding(fh_response *response, fh_text line) {
  static const char chunked[] = "chunked\n";
  const size_t name = sizeof "transfer-encoding:" - 1;
  if (response->encoded || line.size - name != sizeof chunked - 1 ||
      strncasecmp(line.data + name, chunked, sizeof chunked - 1) != 0)
    return refuse(response, "the answer has a transfer encoding other than "
                            "chunked");
  response->encoded = true;
  return true;
}

/* Checks the last header, once no line can continue it. What tells where the
 * body ends must say so once: else the next answer could begin anywhere. */
static bool end_line(fh_response *response) {
  size_t at = response->line - 1;
  if (!response->line)
    return true;
  fh_text line = {response->head.data + at, response->head.size - at};
  bool length = is_named(response, at, "content-length");
  bool encoding = is_named(response, at, "transfer-encoding");
  if (!length && !encoding)
    return true;
  if (response->folded) /* libcurl before 8.18 reads the first line alone */
    return refuse(response, "the answer's head spreads the length or encoding "
                            "of its body over several lines");
  if (!(length ? check_length(response, at, line)
               : check_encoding(response, line)))
    return false;
  if (response->encoded && (response->length || response->version == 10))
    return refuse(response, "the answer's head tells of two ways to find the "
                            "body's end");
  return true;
}

/* A line that begins with a blank continues the one before it. */
static bool keep_continuation(fh_response *response, fh_text value) {
  fh_buffer *head = &response->head;
  if (!response->line)
    return refuse(response, "the answer's head begins with a continuation");
  response->folded = true;
  if (value.size == 0)
    return true;
  if (head->data[head->size - 2] == ':')
    head->size--;
  else
    head->data[head->size - 1] = ' ';
  return keep(response, head, value.data, value.size) &&
         keep(response, head, "\n", 1);
}

static bool keep_header(fh_response *response, fh_text line) {
  const char *colon = memchr(line.data, ':', line.size);
  size_t name = colon ? (size_t)(colon - line.data) : 0;
  if (!fh_is_token(line.data, name))
    return refuse(response,
                  "the answer's head holds a line that is no header");
  if (!end_line(response))
    return false;
  fh_text value = fh_trimmed(colon + 1, line.size - name - 1);
  size_t start = response->head.size;
  if (!keep(response, &response->head, line.data, name + 1) ||
      !keep(response, &response->head, value.data, value.size) ||
      !keep(response, &response->head, "\n", 1))
    return false;
  lower(response->head.data + start, name);
  response->line = start + 1;
  response->folded = false;
  return true;
}

static bool end_head(fh_response *response) {
  if (!end_line(response))
    return false;
  if (response->status == 101)
    return refuse(response, "the answer changes the protocol, and the request "
                            "did not ask for that");
  response->place = FH_AFTER_HEAD;
  return true;
}

/* An informational answer (1xx) comes before the real one with a head of its
 * own, which the next status line discards; trailers come after the body and
 * are not kept. */
static bool take_line(fh_response *response, fh_text line) {
  if (response->place == FH_AFTER_HEAD && response->status >= 200)
    return true;
  if (response->place != FH_IN_HEAD)
    return begin_head(response, line);
  if (line.size == 0)
    return end_head(response);
  if (is_blank(*line.data))
    return keep_continuation(response, fh_trimmed(line.data, line.size));
  return keep_header(response, line);
}

/* Takes off the line's end, of which libcurl demands no more than the LF. */
static fh_text without_end(const char *line, size_t size) {
  if (size > 0 && line[size - 1] == '\n')
    size--;
  if (size > 0 && line[size - 1] == '\r')
    size--;
  return (fh_text){line, size};
}

size_t fh_response_on_header(char *data, size_t one, size_t size,
                             void *owner) {
  fh_response *response = owner;
  fh_text line = without_end(data, size);
  (void)one;
  if (response->too_large || response->malformed)
    return 0;
  response->bytes += size;
  if (++response->lines > FH_MAX_RESPONSE_LINES ||
      response->bytes > FH_MAX_RESPONSE_HEADS) {
    response->too_large = true;
    return 0;
  }
  if (line.size > 0 && (memchr(line.data, '\0', line.size) ||
                        memchr(line.data, '\r', line.size))) {
    refuse(response, "the answer's head holds a NUL or a bare CR");
    return 0;
  }
  return take_line(response, line) ? size : 0;
}

bool fh_response_header(const fh_response *response, size_t *at, fh_text *name,
                        fh_text *value) {
  const fh_buffer *head = &response->head;
  if (*at >= head->size)
    return false;
  const char *line = head->data + *at;
  const char *end = memchr(line, '\n', head->size - *at);
  const char *colon = memchr(line, ':', (size_t)(end - line));
  *name = (fh_text){line, (size_t)(colon - line)};
  *value = (fh_text){colon + 1, (size_t)(end - colon - 1)};
  *at += (size_t)(end - line) + 1;
  return true;
}
