#include "util_ttl_set.h"

#include <stdlib.h>
#include <sys/random.h>

enum {
  SMALLEST = 64,
  SWEEP = 4, /* expired keys dropped with each new one: no pause, no rest */
};

/* --- SipHash-2-4 with 128 bits of output --------------------------------- */

static uint64_t rotate(uint64_t x, int bits) {
  return x << bits | x >> (64 - bits);
}

static void mix(uint64_t v[4], int rounds) {
  while (rounds-- > 0) {
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32) + v[3];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
  }
}

static void absorb(uint64_t v[4], uint64_t word) {
  v[3] ^= word;
  mix(v, 2);
  v[0] ^= word;
}

static fh_ttl_set_key hash(fh_ttl_set_key secret, fh_slice text) {
  uint64_t v[4] = {secret.first ^ 0x736f6d6570736575,
                   secret.second ^ 0x646f72616e646f6d ^ 0xee,
                   secret.first ^ 0x6c7967656e657261,
                   secret.second ^ 0x7465646279746573};
  size_t at = 0;
  uint64_t word;
  for (; text.size - at >= 8; at += 8) {
    memcpy(&word, text.data + at, 8);
    absorb(v, word);
  }
  word = (uint64_t)text.size << 56;
  for (size_t i = 0; at + i < text.size; i++)
    word |= (uint64_t)(unsigned char)text.data[at + i] << 8 * i;
  absorb(v, word);
  fh_ttl_set_key key;
  v[2] ^= 0xee;
  mix(v, 4);
  key.first = v[0] ^ v[1] ^ v[2] ^ v[3];
  v[1] ^= 0xdd;
  mix(v, 4);
  key.second = v[0] ^ v[1] ^ v[2] ^ v[3];
  return key;
}

/* --- the index: open addressing, a place's home is its key's ------------- */

static size_t mask(const fh_ttl_set *r) {
  return 2 * r->capacity - 1;
}

static bool same(fh_ttl_set_key a, fh_ttl_set_key b) {
  return a.first == b.first && a.second == b.second;
}

/* Where the key is in the index, or where it would be. */
static size_t find(const fh_ttl_set *r, fh_ttl_set_key key) {
  uint32_t tag = (uint32_t)key.first;
  size_t slot = tag & mask(r);
  while (r->index[slot].ring_index &&
         (r->index[slot].tag != tag ||
          !same(r->ring[r->index[slot].ring_index - 1].key, key)))
    slot = (slot + 1) & mask(r);
  return slot;
}

/* Closes the gap, so that every key stays reachable from its home. */
static void remove_slot(fh_ttl_set *r, size_t gap) {
  size_t slot = gap;
  for (;;) {
    slot = (slot + 1) & mask(r);
    if (!r->index[slot].ring_index)
      break;
    size_t home = r->index[slot].tag & mask(r);
    if (((slot - home) & mask(r)) >= ((slot - gap) & mask(r))) {
      r->index[gap] = r->index[slot];
      gap = slot;
    }
  }
  r->index[gap].ring_index = 0;
}

/* The next oldest is likely to go with the next key that comes: by then its
 * slot will be at hand. */
static void drop_oldest(fh_ttl_set *r) {
  remove_slot(r, find(r, r->ring[r->first].key));
  r->first = (r->first + 1) & (r->capacity - 1);
  r->count--;
  __builtin_prefetch(&r->index[r->ring[r->first].key.first & mask(r)], 1);
}

static void append(fh_ttl_set *r, fh_ttl_set_key key, double at) {
  size_t ring_index = (r->first + r->count) & (r->capacity - 1);
  r->ring[ring_index] = (fh_ttl_set_entry){key, at};
  r->index[find(r, key)] =
      (fh_ttl_set_slot){(uint32_t)key.first, (uint32_t)ring_index + 1};
  r->count++;
}

static bool grow(fh_ttl_set *r) {
  fh_ttl_set larger = *r;
  larger.capacity = r->capacity ? 2 * r->capacity : SMALLEST;
  larger.first = larger.count = 0;
  if (larger.capacity > UINT32_MAX / 2)
    return false;
  larger.ring = malloc(larger.capacity * sizeof *larger.ring);
  larger.index = calloc(2 * larger.capacity, sizeof *larger.index);
  if (!larger.ring || !larger.index) {
    fh_ttl_set_close(&larger);
    return false;
  }
  for (size_t i = 0; i < r->count; i++) {
    const fh_ttl_set_entry *e = &r->ring[(r->first + i) & (r->capacity - 1)];
    append(&larger, e->key, e->at);
  }
  fh_ttl_set_close(r);
  *r = larger;
  return true;
}

/* --- the set ------------------------------------------------------------- */

bool fh_ttl_set_open(fh_ttl_set *r, double window, size_t limit) {
  *r = (fh_ttl_set){.window = window, .limit = limit};
  return getrandom(&r->secret, sizeof r->secret, 0) == sizeof r->secret;
}

void fh_ttl_set_close(fh_ttl_set *r) {
  free(r->ring);
  free(r->index);
  r->ring = NULL;
  r->index = NULL;
  r->count = r->capacity = 0;
}

static bool counts(const fh_ttl_set *r, fh_ttl_set_key key, double now) {
  if (r->count == 0)
    return false;
  uint32_t ring_index = r->index[find(r, key)].ring_index;
  return ring_index && now - r->ring[ring_index - 1].at <= r->window;
}

bool fh_ttl_set_has(const fh_ttl_set *r, fh_slice text, double now) {
  return counts(r, hash(r->secret, text), now);
}

fh_ttl_set_status fh_ttl_set_add(fh_ttl_set *r, fh_slice text, double now) {
  fh_ttl_set_key key = hash(r->secret, text);
  if (counts(r, key, now))
    return FH_RECENT_KNOWN;
  if (r->count == r->capacity && r->count < r->limit && !grow(r))
    return FH_RECENT_NO_MEMORY;
  if (r->count == r->limit)
    drop_oldest(r);
  for (int i = 0;
       i < SWEEP && r->count > 0 && now - r->ring[r->first].at > r->window;
       i++)
    drop_oldest(r);
  /* One that is here has expired, and so have all that are older. */
  while (r->index[find(r, key)].ring_index)
    drop_oldest(r);
  append(r, key, now);
  return FH_RECENT_ADDED;
}

void fh_ttl_set_take_back(fh_ttl_set *r, size_t count) {
  for (; count > 0 && r->count > 0; count--) {
    size_t newest = (r->first + r->count - 1) & (r->capacity - 1);
    remove_slot(r, find(r, r->ring[newest].key));
    r->count--;
  }
}
