#!/bin/sh
# What a queue costs, beside what its database costs alone.
set -eu
cd "$(dirname "$0")/.."
lua=${LUAS%% *}
eval "$(make -s env LUA="$lua")"
LUA_PATH="./?.lua;$LUA_PATH" exec "$lua" bench/queue.lua
