#include "json.h"

#include <stdlib.h>

#include "util_sort.h"

const char fh_json_twice[] = "an object has a name twice";
static const char no_memory[] = "not enough memory";

typedef struct checker {
  fh_json_reader reader;
  size_t text_size;
  fh_slice *names; /* of the open objects, the innermost's last, each object's
                      behind an empty slice without data; owned */
  size_t name_count;
  size_t name_room;
  char *unescaped; /* names that had escapes, text_size bytes; owned */
  size_t unescaped_size;
  fh_slice wanted; /* the name that fh_json_string looks for, or NULL */
  fh_slice found;
  bool ambiguous;
  bool batch; /* the text is an array */
} checker;

/* --- names --------------------------------------------------------------- */

static const char *remember(checker *c, fh_slice name) {
  if (c->name_count == c->name_room) {
    size_t room = c->name_room ? 2 * c->name_room : 32;
    fh_slice *names = realloc(c->names, room * sizeof *names);
    if (!names)
      return no_memory;
    c->names = names;
    c->name_room = room;
  }
  c->names[c->name_count++] = name;
  return NULL;
}

/* The name that was read, its escapes resolved; these only ever make it
 * shorter, so that one block as long as the text holds all of them. */
static const char *take_name(checker *c, fh_slice *name) {
  const fh_json_reader *r = &c->reader;
  *name = r->text;
  if (r->size < r->text.size) {
    if (!c->unescaped)
      c->unescaped = malloc(c->text_size);
    if (!c->unescaped)
      return no_memory;
    *name = (fh_slice){c->unescaped + c->unescaped_size, r->size};
    fh_json_unescape(r, c->unescaped + c->unescaped_size);
    c->unescaped_size += r->size;
  }
  return remember(c, *name);
}

static int compare_names(const void *a, const void *b) {
  return fh_slice_compare(*(const fh_slice *)a, *(const fh_slice *)b);
}

/* Forgets the names of the innermost object. */
static const char *close_names(checker *c) {
  size_t first = c->name_count;
  while (c->names[first - 1].data)
    first--;
  fh_slice *names = c->names + first;
  size_t count = c->name_count - first;
  fh_sort(names, count, sizeof *names, compare_names);
  for (size_t i = 1; i < count; i++)
    if (fh_slice_equal(names[i - 1], names[i]))
      return fh_json_twice;
  c->name_count = first - 1;
  return NULL;
}

/* --- the text ------------------------------------------------------------ */

/* Does the object that is open belong to an event: the text itself, or an
 * element of the array that the text is? */
static bool is_outer(const checker *c) {
  return c->reader.depth == (c->batch ? 2 : 1);
}

static void note_wanted(checker *c, fh_json_token token) {
  fh_slice value = c->reader.text;
  if (token != FH_JSON_STRING ||
      (c->found.data && !fh_slice_equal(c->found, value)))
    c->ambiguous = true;
  else
    c->found = value;
}

/* What is wrong with a token, or NULL. */
static const char *see(checker *c, fh_json_token token, bool *wanted) {
  fh_slice name;
  const char *wrong = NULL;
  if (*wanted)
    note_wanted(c, token);
  *wanted = false;
  if (token == FH_JSON_OBJECT) {
    wrong = remember(c, (fh_slice){NULL, 0});
  } else if (token == FH_JSON_END_OBJECT) {
    wrong = close_names(c);
  } else if (token == FH_JSON_NAME) {
    wrong = take_name(c, &name);
    *wanted = !wrong && c->wanted.data && is_outer(c) &&
              fh_slice_equal(name, c->wanted);
  }
  return wrong;
}

static const char *read_text(checker *c, fh_slice text,
                             const fh_json_limits *limits) {
  const char *wrong = NULL;
  bool wanted = false;
  fh_json_begin(&c->reader, text, limits);
  c->text_size = text.size;
  fh_json_token token = fh_json_next(&c->reader);
  c->batch = token == FH_JSON_ARRAY;
  while (token > FH_JSON_END) {
    wrong = see(c, token, &wanted);
    if (wrong)
      break;
    token = fh_json_next(&c->reader);
  }
  free(c->names);
  free(c->unescaped);
  return wrong ? wrong : c->reader.wrong;
}

const char *fh_json_check(fh_slice text, const fh_json_limits *limits,
                          size_t *where) {
  checker c = {.wanted = {NULL, 0}};
  const char *wrong = read_text(&c, text, limits);
  if (where)
    *where = text.size > 0 ? (size_t)(c.reader.at - text.data) : 0;
  return wrong;
}

fh_slice fh_json_string(fh_slice text, const fh_json_limits *limits,
                        fh_slice name) {
  checker c = {.wanted = name};
  const char *wrong = read_text(&c, text, limits);
  return wrong || c.ambiguous ? (fh_slice){NULL, 0} : c.found;
}
