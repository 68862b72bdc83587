#include "sig_verify.h"

#include <endian.h>
#include <stdint.h>

enum { SIZE_BYTES = sizeof(uint32_t) }; /* in what an id hashes */

/* Where things stand in the scratch memory of one call. The fields come last,
 * since their number is not known before the text is parsed. */
typedef struct scratch_layout {
  char *decoded;
  char *signed_suffix;
  fh_field *fields;
} scratch_layout;

bool fh_verifier_open(fh_verifier *verifier, fh_slice url,
                      const fh_form_limits *limits, size_t body) {
  verifier->limits = *limits;
  verifier->body = body;
  if (!fh_hasher_open(&verifier->hasher))
    return false;
  if (fh_signed_url_open(&verifier->url, url))
    return true;
  fh_hasher_close(&verifier->hasher);
  return false;
}

void fh_verifier_close(fh_verifier *verifier) {
  fh_hasher_close(&verifier->hasher);
  fh_signed_url_close(&verifier->url);
}

static fh_slice text_of(const fh_delivery *delivery, fh_slice query) {
  switch (delivery->kind) {
  case FH_FORM:
    return delivery->body;
  case FH_QUERY:
    return query;
  case FH_JSON:
    break;
  }
  return (fh_slice){NULL, 0};
}

/* Offset of the fields: behind the decoded text and the longest tail, which is
 * `?`, the query with every byte escaped, and all names and values. */
static size_t fields_offset(const fh_verifier *verifier,
                            const fh_delivery *delivery) {
  size_t text = text_of(delivery, delivery->query).size;
  size_t signed_suffix =
      1 + 3 * (verifier->url.query.size + delivery->query.size);
  size_t align = sizeof(void *);
  return (2 * text + signed_suffix + align - 1) / align * align;
}

/* Behind the fields there is room for what an id hashes: the text once more,
 * and two sizes for each field. */
size_t fh_verify_room(const fh_verifier *verifier,
                      const fh_delivery *delivery) {
  if (delivery->body.size > verifier->body ||
      delivery->query.size > verifier->body)
    return 0;
  fh_slice text = text_of(delivery, delivery->query);
  size_t fields = fh_form_room(text, &verifier->limits);
  return fields_offset(verifier, delivery) +
         fields * (sizeof(fh_field) + 2 * SIZE_BYTES) + text.size;
}

static scratch_layout lay_out(const fh_verifier *verifier,
                              const fh_delivery *delivery, void *scratch) {
  char *base = scratch;
  char *fields = base + fields_offset(verifier, delivery);
  return (scratch_layout){
      .decoded = base,
      .signed_suffix = base + text_of(delivery, delivery->query).size,
      .fields = (fh_field *)(void *)fields,
  };
}

static const char BODY_HASH[] = "bodySHA256";

/* bodySHA256 belongs to the transport, like the configured query. */
static size_t drop_body_hash(fh_field *fields, size_t count) {
  const fh_slice name = {BODY_HASH, sizeof BODY_HASH - 1};
  size_t kept = 0;
  for (size_t i = 0; i < count; i++)
    if (!fh_slice_equal(fields[i].name, name))
      fields[kept++] = fields[i];
  return kept;
}

static fh_verdict read_fields(const fh_verifier *verifier,
                              const fh_delivery *delivery, fh_slice query,
                              const scratch_layout *a, fh_event *event) {
  event->fields = a->fields;
  switch (fh_form_parse(text_of(delivery, query), &verifier->limits, a->fields,
                        a->decoded, &event->count)) {
  case FH_FORM_TOO_LARGE:
    return FH_TOO_LARGE;
  case FH_FORM_MALFORMED:
    return FH_MALFORMED;
  case FH_FORM_OK:
    break;
  }
  if (delivery->kind == FH_QUERY)
    event->count = drop_body_hash(event->fields, event->count);
  event->count = fh_form_sort(event->fields, event->count);
  return FH_VERIFIED;
}

fh_verdict fh_read_fields(const fh_verifier *verifier,
                          const fh_delivery *delivery, void *scratch,
                          fh_event *event) {
  fh_slice rest;
  scratch_layout a = lay_out(verifier, delivery, scratch);
  fh_signed_url_match(&verifier->url, delivery->query, &rest);
  return read_fields(verifier, delivery, rest, &a, event);
}

/* How often the raw query names bodySHA256; `value` is what the last one has.
 */
static size_t find_body_hash(fh_slice query, fh_slice *value) {
  const size_t name = sizeof BODY_HASH - 1;
  size_t found = 0;
  for (size_t begin = 0; begin < query.size;) {
    const char *piece = query.data + begin;
    const char *end = memchr(piece, '&', query.size - begin);
    size_t size = end ? (size_t)(end - piece) : query.size - begin;
    if (size >= name && memcmp(piece, BODY_HASH, name) == 0 &&
        (size == name || piece[name] == '=')) {
      found++;
      *value = size == name ? (fh_slice){piece + size, 0}
                            : (fh_slice){piece + name + 1, size - name - 1};
    }
    begin += size + 1;
  }
  return found;
}

static fh_verdict check_body(const fh_verifier *verifier,
                             const fh_delivery *delivery) {
  fh_slice given;
  size_t found = find_body_hash(delivery->query, &given);
  if (found == 0)
    return delivery->kind == FH_JSON ? FH_BODY_UNSIGNED : FH_VERIFIED;
  char text[FH_HASH_TEXT];
  if (!fh_hash_text(&verifier->hasher, delivery->body, text))
    return FH_CRYPTO_FAILED;
  bool same =
      found == 1 && fh_slice_equal(given, (fh_slice){text, sizeof text});
  return same ? FH_VERIFIED : FH_BODY_DIFFERS;
}

static char *write(char *out, fh_slice bytes) {
  if (bytes.size > 0)
    memcpy(out, bytes.data, bytes.size);
  return out + bytes.size;
}

static char *write_fields(char *out, const fh_field *fields, size_t count) {
  for (size_t i = 0; i < count; i++)
    out = write(write(out, fields[i].name), fields[i].value);
  return out;
}

/* What follows the URL's form in the signed string. */
typedef struct signed_suffix {
  bool has_query;
  fh_slice configured; /* the configured part of the query … */
  fh_slice rest;       /* … and what the request has behind it */
  const fh_field *fields;
  size_t count;
} signed_suffix;

static fh_slice write_tail(char *begin, const signed_suffix *t,
                           bool apostrophe) {
  char *(*write_query)(char *, fh_slice) =
      apostrophe ? fh_write_apostrophes : write;
  char *out = begin;
  if (t->has_query) {
    *out++ = '?';
    out = write_query(out, t->configured);
    out = write_query(out, t->rest);
  }
  /* In a query the fields are signed as part of the URL. */
  out = write_fields(out, t->fields, t->count);
  return (fh_slice){begin, (size_t)(out - begin)};
}

static bool has_apostrophe(fh_slice bytes) {
  return bytes.size > 0 && memchr(bytes.data, '\'', bytes.size);
}

typedef struct search {
  const fh_mac *wanted;
  fh_key **keys;
  size_t key_count;
  bool found;
  bool failed;
} search;

/* Every form of the URL with every key, until one gives the signature: so the
 * time of a refusal tells nothing, and what is accepted has nothing to tell.
 * Forms that are escaped go with a query that is, or that has nothing to
 * escape. */
static void compare(search *s, const fh_signed_url *url, fh_slice signed_tail,
                    bool with_escaped) {
  for (size_t i = 0; i < url->count; i++) {
    if (url->forms[i].apostrophe && !with_escaped)
      continue;
    for (size_t k = 0; k < s->key_count; k++) {
      fh_mac mac;
      if (s->keys[k]->size != s->wanted->size)
        continue;
      if (!fh_key_mac(s->keys[k], url->forms[i].text, signed_tail, &mac))
        s->failed = true;
      else if (fh_mac_equal(&mac, s->wanted)) {
        s->found = true;
        return;
      }
    }
  }
}

static fh_verdict compare_all(const fh_verifier *verifier,
                              const signed_suffix *t, char *scratch,
                              search *s) {
  bool escape = t->has_query &&
                (has_apostrophe(t->configured) || has_apostrophe(t->rest));
  compare(s, &verifier->url, write_tail(scratch, t, false), !escape);
  if (escape && !s->found)
    compare(s, &verifier->url, write_tail(scratch, t, true), true);
  if (s->failed)
    return FH_CRYPTO_FAILED;
  return s->found ? FH_VERIFIED : FH_SIGNATURE_DIFFERS;
}

static char *write_size(char *out, size_t size) {
  uint32_t bytes = htobe32((uint32_t)size);
  memcpy(out, &bytes, SIZE_BYTES);
  return out + SIZE_BYTES;
}

static char *write_sized(char *out, fh_slice bytes) {
  return write(write_size(out, bytes.size), bytes);
}

/* Names and values with their sizes, so that no two events are spelt alike. */
static fh_slice canonical_bytes(const fh_delivery *delivery,
                                const fh_event *event, char *scratch) {
  if (delivery->kind == FH_JSON)
    return delivery->body;
  char *out = scratch;
  for (size_t i = 0; i < event->count; i++)
    out = write_sized(write_sized(out, event->fields[i].name),
                      event->fields[i].value);
  return (fh_slice){scratch, (size_t)(out - scratch)};
}

static bool make_id(const fh_hasher *hasher, const fh_slice *parts,
                    size_t count, char id[FH_ID_SIZE]) {
  unsigned char hash[FH_HASH_SIZE];
  if (!fh_hash(hasher, parts, count, hash))
    return false;
  fh_hex((fh_slice){(const char *)hash, FH_ID_SIZE / 2}, id);
  return true;
}

static bool compute_ids(const fh_hasher *hasher, const fh_delivery *delivery,
                        fh_event *event, char *scratch) {
  if (!delivery->token.data && !delivery->want_twin)
    return true;
  char size[SIZE_BYTES];
  write_size(size, delivery->token.size);
  const fh_slice parts[] = {{size, sizeof size},
                            delivery->token,
                            canonical_bytes(delivery, event, scratch)};
  return (!delivery->token.data || make_id(hasher, parts, 3, event->id)) &&
         (!delivery->want_twin || make_id(hasher, parts + 2, 1, event->twin));
}

/* Returns true if there is a key whose MACs are this long. */
static bool has_key(fh_key **keys, size_t count, const fh_mac *wanted) {
  for (size_t i = 0; i < count; i++)
    if (keys[i]->size == wanted->size)
      return true;
  return false;
}

/* Verifies an event that was read; `rest` is what the request's query has
 * behind the configured one, or NULL if it has another. */
static fh_verdict verify_event(const fh_verifier *verifier,
                               const fh_delivery *delivery, fh_key **keys,
                               size_t key_count, const fh_slice *rest,
                               char *scratch, const fh_event *event) {
  fh_mac wanted;
  if (delivery->signature.size == 0)
    return FH_SIGNATURE_MISSING;
  if (!fh_mac_read(delivery->signature, &wanted))
    return FH_SIGNATURE_SHAPE;
  if (!has_key(keys, key_count, &wanted))
    return FH_ALGORITHM_DIFFERS;
  if (!rest)
    return FH_QUERY_DIFFERS;
  fh_verdict verdict = check_body(verifier, delivery);
  if (verdict != FH_VERIFIED)
    return verdict;
  signed_suffix t = {delivery->query.data != NULL, verifier->url.query, *rest,
                     event->fields,
                     delivery->kind == FH_FORM ? event->count : 0};
  search s = {&wanted, keys, key_count, false, false};
  return compare_all(verifier, &t, scratch, &s);
}

fh_verdict fh_verify_fields(const fh_verifier *verifier,
                            const fh_delivery *delivery, fh_key **keys,
                            size_t key_count, void *scratch, fh_event *event) {
  fh_slice rest;
  bool matches = fh_signed_url_match(&verifier->url, delivery->query, &rest);
  return verify_event(verifier, delivery, keys, key_count,
                      matches ? &rest : NULL, scratch, event);
}

fh_verdict fh_verify(const fh_verifier *verifier, const fh_delivery *delivery,
                     fh_key **keys, size_t key_count, void *scratch,
                     fh_event *event) {
  scratch_layout a = lay_out(verifier, delivery, scratch);
  fh_slice rest;
  bool matches = fh_signed_url_match(&verifier->url, delivery->query, &rest);
  fh_verdict verdict = read_fields(verifier, delivery, rest, &a, event);
  if (verdict != FH_VERIFIED)
    return verdict;
  verdict = verify_event(verifier, delivery, keys, key_count,
                         matches ? &rest : NULL, a.signed_suffix, event);
  char *behind = (char *)(event->fields + event->count);
  if (verdict == FH_VERIFIED &&
      !compute_ids(&verifier->hasher, delivery, event, behind))
    return FH_CRYPTO_FAILED;
  return verdict;
}

size_t fh_sign(fh_key *key, const fh_signed_url *url, const fh_field *fields,
               size_t count, char *scratch,
               char signature[FH_SIGNATURE_MOST]) {
  signed_suffix t = {
      url->query.data != NULL, url->query, {NULL, 0}, fields, count};
  fh_mac mac;
  if (!fh_key_mac(key, url->forms[0].text, write_tail(scratch, &t, false),
                  &mac))
    return 0;
  return fh_mac_write(&mac, signature);
}
