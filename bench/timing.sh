#!/bin/sh
# Whether the time of a refusal tells how much of a forged signature is right:
# a t-test over a million forgeries. Below 4.5 it does not.
set -eu
cd "$(dirname "$0")/.."

made=build/bench
mkdir -p $made
${CC:-cc} -std=c99 -D_GNU_SOURCE -O2 -Isrc -o $made/timing bench/timing.c \
  src/util_form.c src/sig_key.c src/sig_verify.c src/sig_url.c -lcrypto -lm
$made/timing "${FORGERIES:-1000000}"
