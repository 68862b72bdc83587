#!/bin/sh
# JSON decoded by flexhooks and by lua-cjson.
set -eu
cd "$(dirname "$0")/.."
seconds=${SECONDS_EACH:-0.5}

for lua in $LUAS; do
  eval "$(make -s env LUA="$lua")"
  "$lua" bench/json.lua "$lua" "$seconds"
done
