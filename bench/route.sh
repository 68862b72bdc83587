#!/bin/sh
# The way of one delivery through receiver and router, without sockets.
set -eu
cd "$(dirname "$0")/.."
seconds=${SECONDS_EACH:-0.5}

for lua in $LUAS; do
  eval "$(make -s env LUA="$lua")"
  "$lua" bench/route.lua "$lua" "$seconds"
done
