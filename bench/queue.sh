#!/bin/sh
# What a queue costs, beside what its database costs alone.
set -eu
cd "$(dirname "$0")/.."

if ! command -v redis-benchmark >/dev/null; then
  echo "# queue: redis-benchmark is not here"
  exit 0
fi
for lua in $LUAS; do
  eval "$(make -s env LUA="$lua")"
  LUA_PATH="./?.lua;$LUA_PATH" "$lua" bench/queue.lua "$lua"
done
