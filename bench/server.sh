#!/bin/sh
# One event, verified and routed or stored, over 32 kept connections: the
# server on each Lua, and the bare libmicrohttpd below it that only reads the
# body. wrk keeps one processor busy, the server another.
set -eu
cd "$(dirname "$0")/.."
seconds=${SECONDS_EACH:-3}

if ! command -v wrk >/dev/null; then
  echo "# server: wrk is not here"
  exit 0
fi
made=build/bench
mkdir -p $made
[ $made/server -nt bench/server.c ] ||
  ${CC:-cc} -O2 -o $made/server bench/server.c -lmicrohttpd

dir=$(mktemp -d "${TMPDIR:-/tmp}/flexhooks.XXXXXX")
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$dir"' EXIT

# Processor time of the server so far, in hundredths of a second.
spent() {
  sed 's/.*) //' "/proc/$server/stat" | awk '{ print $12 + $13 }'
}

# measure VARIANT COMMAND…: one server, one run of wrk
measure() {
  variant=$1
  shift
  rm -f "$dir/out"
  "$@" >"$dir/out" 2>"$dir/err" &
  server=$!
  for _ in $(seq 100); do
    grep -qs ready "$dir/out" && break
    kill -0 $server 2>/dev/null || break
    sleep 0.1
  done
  grep -qs ready "$dir/out" || {
    echo "server: $variant does not start: $(cat "$dir/err")" >&2
    exit 1
  }
  port=$(sed -n 's/^ready //p' "$dir/out")
  wrk -t1 -c32 -d1 -s "$dir/wrk.lua" "http://127.0.0.1:$port/flex/events" \
    >/dev/null
  before=$(spent)
  wrk -t1 -c32 -d"$seconds" -s "$dir/wrk.lua" \
    "http://127.0.0.1:$port/flex/events" | tail -n 1 >"$dir/rate"
  used=$(($(spent) - before))
  kill "$server"
  wait $server 2>/dev/null || true
  server=
  read -r rate errors <"$dir/rate"
  [ "$errors" = 0 ] || { echo "$variant: $errors errors" >&2; exit 1; }
  printf 'server\t%s\t%s\trequests/s\n' "$variant" "$rate"
  printf 'server, its own time\t%s\t%s\trequests/s\n' "$variant" \
    "$(awk "BEGIN { print int($rate * $seconds * 100 / $used) }")"
}

set -- $LUAS
eval "$(make -s env LUA="$1")"
"$1" bench/server.lua wrk "$dir/wrk.lua"
measure "bare libmicrohttpd" $made/server
for lua; do
  eval "$(make -s env LUA="$lua")"
  measure "flexhooks, $lua" "$lua" bench/server.lua serve
  measure "stored in SQLite, $lua" "$lua" bench/server.lua store \
    "sqlite:$dir/$lua.db"
done
