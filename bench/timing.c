/* Does the time of a refusal tell how much of a forged signature is right?
 * Signatures whose first 0 to 26 characters are right, in random order;
 * Welch's t between those with none right and each other number, after dudect.
 * Beside it the same with a comparison that stops at the first difference,
 * which the measurement has to see.
 *
 *   timing FORGERIES */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "signature.h"

enum { CLASSES = 27, REPEATED = 16, BITS = 6, BATCH = 1024 };

typedef struct sample {
  double time;
  int right; /* characters */
} sample;

typedef struct delivery {
  fh_key key;
  fh_verifier verifier;
  void *scratch;
  unsigned char right[FH_MAC_SIZE];
} delivery;

typedef struct forgery {
  unsigned char mac[FH_MAC_SIZE];
  char text[FH_SIGNATURE_SIZE];
} forgery;

typedef bool try_forgery(delivery *d, const forgery *f);

static const char URL[] = "https://company.example/flex/events";
static const char BODY[] = "EventType=onParticipantJoined&Number=1";
static const char SIGNED[] = "EventTypeonParticipantJoinedNumber1";

static uint64_t random_bits(void) {
  static uint64_t state = 0x9e3779b97f4a7c15u;
  state ^= state << 13;
  state ^= state >> 7;
  return state ^= state << 17;
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static fh_slice slice(const char *text) {
  return (fh_slice){text, strlen(text)};
}

static bool verify(delivery *d, const forgery *f) {
  fh_key *keys[] = {&d->key};
  fh_slice signature = {f->text, sizeof f->text};
  fh_delivery given = {FH_FORM, signature, {NULL, 0}, slice(BODY), false};
  fh_event event;
  return fh_verify(&d->verifier, &given, keys, 1, d->scratch, &event) ==
         FH_VERIFIED;
}

static bool compare(delivery *d, const forgery *f) {
  return fh_mac_equal(f->mac, d->right);
}

static bool stop_early(delivery *d, const forgery *f) {
  for (size_t i = 0; i < sizeof f->mac; i++)
    if (f->mac[i] != d->right[i])
      return false;
  return true;
}

/* The first `right` characters are, the one behind them is not, and what
 * follows is random. */
static void forge(const delivery *d, int right, forgery *f) {
  for (int bit = 0; bit < 8 * FH_MAC_SIZE; bit++) {
    unsigned char *byte = &f->mac[bit / 8];
    unsigned char mask = (unsigned char)(0x80 >> bit % 8);
    bool set = d->right[bit / 8] & mask;
    if (bit == right * BITS)
      set = !set;
    else if (bit > right * BITS)
      set = random_bits() & 1;
    *byte = (unsigned char)(set ? *byte | mask : *byte & ~mask);
  }
  fh_mac_write(f->mac, f->text);
}

/* Forgeries are made beforehand, some at a time, since making them leaves
 * traces in the processor. */
static void measure(delivery *d, try_forgery *try, int repeated,
                    sample *samples, size_t count) {
  static forgery made[BATCH];
  for (size_t i = 0; i < count; i++) {
    if (i % BATCH == 0)
      for (size_t n = i; n < i + BATCH && n < count; n++) {
        samples[n].right = (int)(random_bits() % CLASSES);
        forge(d, samples[n].right, &made[n - i]);
      }
    double begun = now();
    for (int n = 0; n < repeated; n++)
      if (try(d, &made[i % BATCH]))
        abort();
    samples[i].time = now() - begun;
  }
}

static int by_time(const void *a, const void *b) {
  double x = ((const sample *)a)->time, y = ((const sample *)b)->time;
  return (x > y) - (x < y);
}

/* The largest |t| of any number of right characters against none. What the
 * machine disturbed, the slowest twentieth, is left out. */
static double separation(sample *samples, size_t count) {
  double n[CLASSES] = {0}, mean[CLASSES] = {0}, square[CLASSES] = {0};
  qsort(samples, count, sizeof *samples, by_time);
  for (size_t i = 0; i < count - count / 20; i++) {
    int c = samples[i].right;
    double from = samples[i].time - mean[c];
    mean[c] += from / ++n[c];
    square[c] += from * (samples[i].time - mean[c]);
  }
  double most = 0;
  for (int c = 1; c < CLASSES; c++) {
    double error =
        square[0] / (n[0] - 1) / n[0] + square[c] / (n[c] - 1) / n[c];
    most = fmax(most, fabs(mean[c] - mean[0]) / sqrt(error));
  }
  return most;
}

static void tell(delivery *d, const char *name, try_forgery *try, int repeated,
                 size_t count) {
  sample *samples = calloc(count, sizeof *samples);
  if (!samples)
    abort();
  measure(d, try, repeated, samples, count / 10); /* caches, branches */
  measure(d, try, repeated, samples, count);
  printf("timing of refusals\t%s\t%.2f\tlargest t\n", name,
         separation(samples, count));
  free(samples);
}

int main(int argc, char **argv) {
  size_t count = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
  const fh_form_limits limits = {1000, 127, 65536};
  fh_delivery given = {FH_FORM, {NULL, 0}, {NULL, 0}, slice(BODY), false};
  delivery d;
  if (count < 100 * CLASSES)
    return 2;
  if (!fh_key_open(&d.key, slice("0123456789abcdef0123456789abcdef")) ||
      !fh_verifier_open(&d.verifier, slice(URL), &limits, 4096) ||
      !(d.scratch = malloc(fh_verify_room(&d.verifier, &given))) ||
      !fh_key_mac(&d.key, slice(URL), slice(SIGNED), d.right))
    abort();
  tell(&d, "the whole verification", verify, 1, count);
  tell(&d, "its comparison", compare, REPEATED, count);
  tell(&d, "one that stops early", stop_early, REPEATED, count);
  free(d.scratch);
  fh_verifier_close(&d.verifier);
  fh_key_close(&d.key);
  return 0;
}
