#include "answer.h"

#include <string.h>

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

/* A line that begins with a blank continues the one before it. */
static bool keep_continuation(fh_answer *answer, fh_text value) {
  fh_buffer *head = &answer->head;
  if (head->size == 0)
    return true;
  head->data[head->size - 1] = ' ';
  return keep(answer, head, value.data, value.size) &&
         keep(answer, head, "\n", 1);
}

static bool is_named(const fh_answer *answer, size_t at, const char *name) {
  size_t size = strlen(name);
  return answer->head.size - at > size &&
         !memcmp(answer->head.data + at, name, size) &&
         answer->head.data[at + size] == ':';
}

/* libcurl reads as many digits as there are, and takes "2x" for 2. */
static bool is_length(const char *digits, size_t size) {
  for (size_t i = 0; i < size; i++)
    if (digits[i] < '0' || digits[i] > '9')
      return false;
  return size > 0;
}

/* What tells where the body ends must say so once: with two lengths, one that
 * is no number, or a length and a transfer encoding, the next answer could
 * begin anywhere. */
static bool is_ambiguous(fh_answer *answer, size_t at) {
  const char *line = answer->head.data + at;
  size_t size = answer->head.size - at;
  if (is_named(answer, at, "transfer-encoding")) {
    answer->encoded = true;
  } else if (is_named(answer, at, "content-length")) {
    const size_t name = sizeof "content-length:" - 1;
    if (!is_length(line + name, size - name - 1))
      return true;
    if (answer->length &&
        memcmp(answer->head.data + answer->length - 1, line, size) != 0)
      return true;
    answer->length = at + 1;
  }
  return answer->encoded && answer->length;
}

/* Lines that are no header (no colon, an impossible name) are left out. */
static bool keep_line(fh_answer *answer, const char *line, size_t size) {
  if (is_blank(*line))
    return keep_continuation(answer, fh_trimmed(line, size));
  const char *colon = memchr(line, ':', size);
  size_t name = colon ? (size_t)(colon - line) : 0;
  if (!fh_is_token(line, name))
    return true;
  fh_text value = fh_trimmed(colon + 1, size - name - 1);
  size_t start = answer->head.size;
  if (!keep(answer, &answer->head, line, name + 1) ||
      !keep(answer, &answer->head, value.data, value.size) ||
      !keep(answer, &answer->head, "\n", 1))
    return false;
  lower(answer->head.data + start, name);
  answer->malformed = is_ambiguous(answer, start) ||
                      (value.size > 0 && memchr(value.data, '\r', value.size));
  return !answer->malformed;
}

static void begin_head(fh_answer *answer) {
  answer->place = FH_IN_HEAD;
  answer->length = 0;
  answer->encoded = false;
  fh_buffer_clear(&answer->head);
}

/* An informational answer (1xx) comes before the real one with a head of its
 * own, which the next status line discards; trailers come after the body and
 * are not kept. */
size_t fh_answer_on_header(char *line, size_t one, size_t size, void *owner) {
  fh_answer *answer = owner;
  (void)one;
  if (++answer->lines > FH_MAX_ANSWER_LINES)
    answer->too_large = true;
  if (size > 0 && memchr(line, '\0', size))
    answer->malformed = true;
  if (answer->too_large || answer->malformed)
    return 0;
  if (answer->place != FH_IN_HEAD) {
    if (size >= 5 && !memcmp(line, "HTTP/", 5))
      begin_head(answer);
    return size;
  }
  if (fh_trimmed(line, size).size == 0) {
    answer->place = FH_AFTER_HEAD;
    return size;
  }
  return keep_line(answer, line, size) ? size : 0;
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
