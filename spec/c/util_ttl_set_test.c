#include "support.h"

#include <stdio.h>

#include "util_ttl_set.h"

static fh_slice key_of(int number) {
  static char text[16];
  int size = snprintf(text, sizeof text, "key %d", number);
  return (fh_slice){text, (size_t)size};
}

static fh_ttl_set opened(double window, size_t limit) {
  fh_ttl_set r;
  assert_true(fh_ttl_set_open(&r, window, limit));
  return r;
}

static void knows_a_key_within_the_window(void **state) {
  (void)state;
  fh_ttl_set r = opened(10, 100);
  assert_false(fh_ttl_set_has(&r, key_of(1), 0));
  assert_int_equal(FH_RECENT_ADDED, fh_ttl_set_add(&r, key_of(1), 0));
  assert_true(fh_ttl_set_has(&r, key_of(1), 10));
  assert_false(fh_ttl_set_has(&r, key_of(1), 10.1));
  assert_false(fh_ttl_set_has(&r, key_of(2), 0));
  fh_ttl_set_close(&r);
  fh_ttl_set_close(&r);
}

/* Against a plain list, through growth, wrapping, expiry and full sets. */
static void agrees_with_a_plain_list(void **state) {
  (void)state;
  enum { STEPS = 4000, KEYS = 400 };
  static double added[KEYS];
  static int order[STEPS];
  for (size_t limit = 1; limit < 300; limit = limit * 2 + 1) {
    fh_ttl_set r = opened(50, limit);
    double now = 0;
    size_t steps = 0;
    for (int i = 0; i < KEYS; i++)
      added[i] = -1000;
    for (int i = 0; i < STEPS; i++) {
      int key = rand() % KEYS;
      now += rand() % 3 == 0 ? rand() % 2 : 0;
      bool among = false; /* the last `limit` that were added */
      for (size_t k = 0; k < limit && k < steps; k++)
        among = among || order[steps - 1 - k] == key;
      bool known = among && now - added[key] <= 50;
      assert_int_equal(known, fh_ttl_set_has(&r, key_of(key), now));
      assert_int_equal(known ? FH_RECENT_KNOWN : FH_RECENT_ADDED,
                       fh_ttl_set_add(&r, key_of(key), now));
      if (known)
        continue; /* it stays as it was */
      added[key] = now;
      order[steps++] = key;
      assert_true(r.count <= limit);
    }
    fh_ttl_set_close(&r);
  }
}

static void reads_nothing_behind_a_key(void **state) {
  (void)state;
  char text[40];
  memset(text, 'x', sizeof text);
  for (size_t size = 0; size <= sizeof text; size++) {
    fh_ttl_set r = opened(1, 10);
    char *copy = edge_copy(text, size);
    assert_int_equal(FH_RECENT_ADDED,
                     fh_ttl_set_add(&r, (fh_slice){copy, size}, 0));
    assert_true(fh_ttl_set_has(&r, (fh_slice){copy, size}, 0));
    assert_false(fh_ttl_set_has(&r, (fh_slice){"y", 1}, 0));
    edge_free(copy, size);
    fh_ttl_set_close(&r);
  }
}

static void expired_keys_give_way(void **state) {
  (void)state;
  fh_ttl_set r = opened(10, 1000);
  for (int i = 0; i < 500; i++)
    assert_int_equal(FH_RECENT_ADDED, fh_ttl_set_add(&r, key_of(i), 0));
  for (int i = 0; i < 200; i++)
    assert_int_equal(FH_RECENT_ADDED,
                     fh_ttl_set_add(&r, key_of(1000 + i), 100));
  assert_int_equal(200, r.count);
  fh_ttl_set_close(&r);
}

static void takes_the_newest_back(void **state) {
  (void)state;
  fh_ttl_set r = opened(10, 1000);
  for (int i = 0; i < 900; i++)
    assert_int_equal(FH_RECENT_ADDED, fh_ttl_set_add(&r, key_of(i), 0));
  fh_ttl_set_take_back(&r, 300);
  assert_int_equal(600, r.count);
  for (int i = 0; i < 900; i++)
    assert_int_equal(i < 600, fh_ttl_set_has(&r, key_of(i), 1));
  fh_ttl_set_take_back(&r, 601);
  assert_int_equal(0, r.count);
  assert_false(fh_ttl_set_has(&r, key_of(0), 1));
  assert_int_equal(FH_RECENT_ADDED, fh_ttl_set_add(&r, key_of(0), 1));
  assert_true(fh_ttl_set_has(&r, key_of(0), 1));
  fh_ttl_set_close(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(knows_a_key_within_the_window),
      cmocka_unit_test(agrees_with_a_plain_list),
      cmocka_unit_test(reads_nothing_behind_a_key),
      cmocka_unit_test(expired_keys_give_way),
      cmocka_unit_test(takes_the_newest_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
