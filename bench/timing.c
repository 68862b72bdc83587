/* Does the time of a refusal tell how much of a forged signature is right?
 * Signatures of each algorithm whose first characters are right, from none to
 * all but the last, in random order; Welch's t between those with none right
 * and each other number, after dudect. Beside it the same with a comparison
 * that stops at the first difference, which the measurement has to see.
 *
 *   timing FORGERIES */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sig_verify.h"

enum { MOST_CLASSES = 43, REPEATED = 16, BITS = 6, BATCH = 1024 };

typedef struct sample {
  double time;
  int right; /* characters */
} sample;

typedef struct delivery {
  fh_key key;
  fh_verifier verifier;
  void *scratch;
  fh_mac right;
  int classes; /* characters of its text that mean something */
} delivery;

typedef struct forgery {
  fh_mac mac;
  char text[FH_SIGNATURE_MOST];
  size_t size;
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
  fh_slice signature = {f->text, f->size};
  fh_delivery given = {FH_FORM, signature, {NULL, 0}, slice(BODY), false};
  fh_event event;
  return fh_verify(&d->verifier, &given, keys, 1, d->scratch, &event) ==
         FH_VERIFIED;
}

static bool compare(delivery *d, const forgery *f) {
  return fh_mac_equal(&f->mac, &d->right);
}

static bool stop_early(delivery *d, const forgery *f) {
  for (size_t i = 0; i < f->mac.size; i++)
    if (f->mac.bytes[i] != d->right.bytes[i])
      return false;
  return true;
}

/* The first `right` characters are, the one behind them is not, and what
 * follows is random. */
static void forge(const delivery *d, int right, forgery *f) {
  f->mac.size = d->right.size;
  for (int bit = 0; bit < 8 * (int)f->mac.size; bit++) {
    unsigned char *byte = &f->mac.bytes[bit / 8];
    unsigned char mask = (unsigned char)(0x80 >> bit % 8);
    bool set = d->right.bytes[bit / 8] & mask;
    if (bit == right * BITS)
      set = !set;
    else if (bit > right * BITS)
      set = random_bits() & 1;
    *byte = (unsigned char)(set ? *byte | mask : *byte & ~mask);
  }
  f->size = fh_mac_write(&f->mac, f->text);
}

/* Forgeries are made beforehand, some at a time, since making them leaves
 * traces in the processor. */
static void measure(delivery *d, try_forgery *try, int repeated,
                    sample *samples, size_t count) {
  static forgery made[BATCH];
  for (size_t i = 0; i < count; i++) {
    if (i % BATCH == 0)
      for (size_t n = i; n < i + BATCH && n < count; n++) {
        samples[n].right = (int)(random_bits() % (unsigned)d->classes);
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
static double separation(sample *samples, size_t count, int classes) {
  double n[MOST_CLASSES] = {0}, mean[MOST_CLASSES] = {0},
         square[MOST_CLASSES] = {0};
  qsort(samples, count, sizeof *samples, by_time);
  for (size_t i = 0; i < count - count / 20; i++) {
    int c = samples[i].right;
    double from = samples[i].time - mean[c];
    mean[c] += from / ++n[c];
    square[c] += from * (samples[i].time - mean[c]);
  }
  double most = 0;
  for (int c = 1; c < classes; c++) {
    double error =
        square[0] / (n[0] - 1) / n[0] + square[c] / (n[c] - 1) / n[c];
    most = fmax(most, fabs(mean[c] - mean[0]) / sqrt(error));
  }
  return most;
}

static void tell(delivery *d, const char *algorithm, const char *name,
                 try_forgery *try, int repeated, size_t count) {
  sample *samples = calloc(count, sizeof *samples);
  if (!samples)
    abort();
  measure(d, try, repeated, samples, count / 10); /* caches, branches */
  measure(d, try, repeated, samples, count);
  printf("timing of refusals, %s\t%s\t%.2f\tlargest t\n", algorithm, name,
         separation(samples, count, d->classes));
  free(samples);
}

static void tell_all(fh_algorithm algorithm, const char *name, size_t count) {
  const fh_form_limits limits = {1000, 127, 65536};
  fh_delivery given = {FH_FORM, {NULL, 0}, {NULL, 0}, slice(BODY), false};
  char text[FH_SIGNATURE_MOST];
  delivery d;
  if (!fh_key_open(&d.key, algorithm,
                   slice("0123456789abcdef0123456789abcdef")) ||
      !fh_verifier_open(&d.verifier, slice(URL), &limits, 4096) ||
      !(d.scratch = malloc(fh_verify_room(&d.verifier, &given))) ||
      !fh_key_mac(&d.key, slice(URL), slice(SIGNED), &d.right))
    abort();
  d.classes = (int)fh_mac_write(&d.right, text) - 1;
  tell(&d, name, "the whole verification", verify, 1, count);
  tell(&d, name, "its comparison", compare, REPEATED, count);
  tell(&d, name, "one that stops early", stop_early, REPEATED, count);
  free(d.scratch);
  fh_verifier_close(&d.verifier);
  fh_key_close(&d.key);
}

int main(int argc, char **argv) {
  size_t count = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
  if (count < 100 * MOST_CLASSES)
    return 2;
  tell_all(FH_HMAC_SHA1, "SHA-1", count);
  tell_all(FH_HMAC_SHA256, "SHA-256", count);
  return 0;
}
