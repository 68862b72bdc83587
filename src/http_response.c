#include "http_response.h"

#include <string.h>
#include <strings.h>

void fh_answer_init(fh_answer *answer, size_t max_body) {
  *answer = (fh_answer){0};
  fh_buffer_init(&answer->head, FH_MAX_ANSWER_HEAD);
  fh_buffer_init(&answer->body, max_body);
}

void fh_answer_free(fh_answer *answer) {
  fh_buffer_free(&answer->head);
  fh_buffer_free(&answer->body);
}

static bool keep(fh_answer *answer, fh_buffer *buffer, const char *data,
                 size_t size) {
  switch (fh_buffer_append(buffer, data, size)) {
  case FH_BUFFER_OK:
    return true;
  case FH_BUFFER_FULL:
    answer->too_large = true;
    break;
  case FH_BUFFER_NO_MEMORY:
    answer->no_memory = true;
    break;
  }
  return false;
}

size_t fh_answer_on_body(char *data, size_t one, size_t size, void *owner) {
  fh_answer *answer = owner;
  (void)one;
  return keep(answer, &answer->body, data, size) ? size : 0;
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

static bool refuse(fh_answer *answer, const char *why) {
  answer->malformed = why;
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

static bool begin_head(fh_answer *answer, fh_text line) {
  size_t size;
  answer->version = read_version(line, &size);
  answer->status =
      answer->version ? read_status(line.data + size, line.size - size) : 0;
  if (answer->status == 0 || (answer->http1_only && answer->version == 20))
    return refuse(answer, "the answer does not begin with a status line of "
                          "HTTP");
  answer->place = FH_IN_HEAD;
  answer->length = answer->line = 0;
  answer->encoded = answer->folded = false;
  fh_buffer_clear(&answer->head);
  return true;
}

/* --- headers --------------------------------------------------------------
 */

static bool is_named(const fh_answer *answer, size_t at, const char *name) {
  size_t size = strlen(name);
  return answer->head.size - at > size &&
         !memcmp(answer->head.data + at, name, size) &&
         answer->head.data[at + size] == ':';
}

/* libcurl reads as many digits as there are, and takes "2x" for 2. */
static bool is_length(const char *digits, size_t size) {
  for (size_t i = 0; i < size; i++)
    if (!is_digit(digits[i]))
      return false;
  return size > 0;
}

/* Checks a Content-Length; `line` has its name and ends with LF. */
static bool check_length(fh_answer *answer, size_t at, fh_text line) {
  const size_t name = sizeof "content-length:" - 1;
  if (!is_length(line.data + name, line.size - name - 1) ||
      (answer->length &&
       memcmp(answer->head.data + answer->length - 1, line.data, line.size)))
    return refuse(answer, "the answer's head has two body lengths, or one "
                          "that is no number");
  answer->length = at + 1;
  return true;
}

/* libcurl would undo other encodings, or not, as its version has it. */
static bool check_encoding(fh_answer *answer, fh_text line) {
  static const char chunked[] = "chunked\n";
  const size_t name = sizeof "transfer-encoding:" - 1;
  if (answer->encoded || line.size - name != sizeof chunked - 1 ||
      strncasecmp(line.data + name, chunked, sizeof chunked - 1) != 0)
    return refuse(answer, "the answer has a transfer encoding other than "
                          "chunked");
  answer->encoded = true;
  return true;
}

/* Checks the last header, once no line can continue it. What tells where the
 * body ends must say so once: else the next answer could begin anywhere. */
static bool end_line(fh_answer *answer) {
  size_t at = answer->line - 1;
  if (!answer->line)
    return true;
  fh_text line = {answer->head.data + at, answer->head.size - at};
  bool length = is_named(answer, at, "content-length");
  bool encoding = is_named(answer, at, "transfer-encoding");
  if (!length && !encoding)
    return true;
  if (answer->folded) /* libcurl before 8.18 reads the first line alone */
    return refuse(answer, "the answer's head spreads the length or encoding "
                          "of its body over several lines");
  if (!(length ? check_length(answer, at, line)
               : check_encoding(answer, line)))
    return false;
  if (answer->encoded && (answer->length || answer->version == 10))
    return refuse(answer, "the answer's head tells of two ways to find the "
                          "body's end");
  return true;
}

/* A line that begins with a blank continues the one before it. */
static bool keep_continuation(fh_answer *answer, fh_text value) {
  fh_buffer *head = &answer->head;
  if (!answer->line)
    return refuse(answer, "the answer's head begins with a continuation");
  answer->folded = true;
  if (value.size == 0)
    return true;
  if (head->data[head->size - 2] == ':')
    head->size--;
  else
    head->data[head->size - 1] = ' ';
  return keep(answer, head, value.data, value.size) &&
         keep(answer, head, "\n", 1);
}

static bool keep_header(fh_answer *answer, fh_text line) {
  const char *colon = memchr(line.data, ':', line.size);
  size_t name = colon ? (size_t)(colon - line.data) : 0;
  if (!fh_is_token(line.data, name))
    return refuse(answer, "the answer's head holds a line that is no header");
  if (!end_line(answer))
    return false;
  fh_text value = fh_trimmed(colon + 1, line.size - name - 1);
  size_t start = answer->head.size;
  if (!keep(answer, &answer->head, line.data, name + 1) ||
      !keep(answer, &answer->head, value.data, value.size) ||
      !keep(answer, &answer->head, "\n", 1))
    return false;
  lower(answer->head.data + start, name);
  answer->line = start + 1;
  answer->folded = false;
  return true;
}

static bool end_head(fh_answer *answer) {
  if (!end_line(answer))
    return false;
  if (answer->status == 101)
    return refuse(answer, "the answer changes the protocol, and the request "
                          "did not ask for that");
  answer->place = FH_AFTER_HEAD;
  return true;
}

/* An informational answer (1xx) comes before the real one with a head of its
 * own, which the next status line discards; trailers come after the body and
 * are not kept. */
static bool take_line(fh_answer *answer, fh_text line) {
  if (answer->place == FH_AFTER_HEAD && answer->status >= 200)
    return true;
  if (answer->place != FH_IN_HEAD)
    return begin_head(answer, line);
  if (line.size == 0)
    return end_head(answer);
  if (is_blank(*line.data))
    return keep_continuation(answer, fh_trimmed(line.data, line.size));
  return keep_header(answer, line);
}

/* Takes off the line's end, of which libcurl demands no more than the LF. */
static fh_text without_end(const char *line, size_t size) {
  if (size > 0 && line[size - 1] == '\n')
    size--;
  if (size > 0 && line[size - 1] == '\r')
    size--;
  return (fh_text){line, size};
}

size_t fh_answer_on_header(char *data, size_t one, size_t size, void *owner) {
  fh_answer *answer = owner;
  fh_text line = without_end(data, size);
  (void)one;
  if (answer->too_large || answer->malformed)
    return 0;
  answer->bytes += size;
  if (++answer->lines > FH_MAX_ANSWER_LINES ||
      answer->bytes > FH_MAX_ANSWER_HEADS) {
    answer->too_large = true;
    return 0;
  }
  if (line.size > 0 && (memchr(line.data, '\0', line.size) ||
                        memchr(line.data, '\r', line.size))) {
    refuse(answer, "the answer's head holds a NUL or a bare CR");
    return 0;
  }
  return take_line(answer, line) ? size : 0;
}

bool fh_answer_header(const fh_answer *answer, size_t *at, fh_text *name,
                      fh_text *value) {
  const fh_buffer *head = &answer->head;
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
