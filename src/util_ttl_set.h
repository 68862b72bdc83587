/* A bounded set of keys with the times at which they were added, for keys that
 * count for a while only: the oldest makes room for the newest, and expired
 * ones give way as new ones come. Adding and looking up take constant time.
 *
 * A key is kept as 128 bits of SipHash under a secret of its own, so that a
 * hundred thousand of them cost 5 MB and no garbage collector has to look at
 * them, and nobody can choose keys that collide. */
#ifndef FH_UTIL_TTL_SET_H
#define FH_UTIL_TTL_SET_H

#include <stdbool.h>
#include <stdint.h>

#include "util_slice.h"

typedef struct fh_ttl_set_key {
  uint64_t first;
  uint64_t second;
} fh_ttl_set_key;

typedef struct fh_ttl_set_entry {
  fh_ttl_set_key key;
  double at;
} fh_ttl_set_entry;

/* Of the index. The mark is the end of the key's first half: it gives a key's
 * home and tells nearly all others apart, so that a search reads one line of
 * the processor's cache and not the entries too. */
typedef struct fh_ttl_set_slot {
  uint32_t tag;
  uint32_t ring_index; /* in the ring, plus 1; 0: the slot is free */
} fh_ttl_set_slot;

typedef struct fh_ttl_set {
  double window; /* how long a key counts; the unit is the caller's */
  size_t limit;  /* most keys */
  size_t first;  /* place of the oldest in the ring */
  size_t count;
  size_t capacity; /* of the ring; a power of two, as is the index's */
  fh_ttl_set_entry *ring;
  fh_ttl_set_slot *index; /* twice the room */
  fh_ttl_set_key secret;
} fh_ttl_set;

/* An empty set; allocates nothing. False where there is no randomness. */
bool fh_ttl_set_open(fh_ttl_set *recent, double window, size_t limit);
void fh_ttl_set_close(fh_ttl_set *recent);

/* Was the key added within the window before `now`? Times never go back. */
bool fh_ttl_set_has(const fh_ttl_set *recent, fh_slice key, double now);

typedef enum fh_ttl_set_status {
  FH_RECENT_ADDED,
  FH_RECENT_KNOWN,     /* it counts already */
  FH_RECENT_NO_MEMORY, /* the set is as it was */
} fh_ttl_set_status;

/* Adds a key, unless it counts already; it takes the place of an expired one
 * of the same name. */
fh_ttl_set_status fh_ttl_set_add(fh_ttl_set *recent, fh_slice key, double now);

/* Takes the `count` newest keys back, or as many as there are. */
void fh_ttl_set_take_back(fh_ttl_set *recent, size_t count);

#endif
