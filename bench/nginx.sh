#!/bin/sh
# Signed events at one nginx worker, over kept connections: a location that
# only reads the body and answers 204, the handler that one would write by
# hand, and ours, with duplicates off as in the other two, and as it is by
# default. Between them stands what is the least that any handler has to do.
set -eu
cd "$(dirname "$0")/.."
seconds=${SECONDS_EACH:-2}
if ! tools/nginx -v 2>/dev/null || ! command -v wrk >/dev/null; then
  echo "# nginx: needs nginx with its Lua module, and wrk"
  exit 0
fi
make -s LUA=luajit

dir=$(mktemp -d "${TMPDIR:-/tmp}/flexhooks.XXXXXX")
trap 'kill "$nginx" 2>/dev/null; rm -rf "$dir"' EXIT
port=$((20000 + $$ % 10000))
cp bench/nginx.lua bench/nginx_by_hand.lua bench/nginx_floor.lua "$dir"
cat >"$dir/nginx.conf" <<END
daemon off; worker_processes 1; pid pid; error_log error.log;
thread_pool default threads=4;
events { worker_connections 256; }
http {
  access_log off; keepalive_requests 100000000;
  client_body_buffer_size 16k;
  client_body_temp_path a; proxy_temp_path b;
  fastcgi_temp_path c; uwsgi_temp_path d; scgi_temp_path e;
  lua_shared_dict flexhooks 32m; lua_shared_dict floor 32m;
  lua_package_path "$dir/?.lua;$PWD/lua/?.lua;$PWD/lua/?/init.lua;;";
  lua_package_cpath "$PWD/build/luajit/?.so;;";
  server {
    listen 127.0.0.1:$port;
    location = /read { content_by_lua_block {
      ngx.req.read_body() ngx.status = 204 } }
    location = /ok { content_by_lua_block {
      require("nginx_floor").ok() } }
    location = /added { content_by_lua_block {
      require("nginx_floor").added() } }
    location = /verified { content_by_lua_block {
      require("nginx_floor").verified() } }
    location = /verified_and_added { content_by_lua_block {
      require("nginx_floor").verified_and_added() } }
    location = /by_hand { content_by_lua_block {
      require("nginx_by_hand").handle() } }
    location = /plain { content_by_lua_block {
      require("flexhooks.nginx").handle(require("nginx").plain) } }
    location = /default { content_by_lua_block {
      require("flexhooks.nginx").handle(require("nginx").default) } }
  }
}
END
tools/nginx -p "$dir" -e error.log -c nginx.conf &
nginx=$!

# $1 variant, $2 path
measure() {
  wrk -t1 -c32 -d"$seconds"s --latency -s bench/nginx_wrk.lua \
    "http://127.0.0.1:$port$2" >"$dir/out"
  grep -q "Non-2xx" "$dir/out" && cat "$dir/out" "$dir/error.log" >&2 && exit 1
  awk -v v="$1" '
    /^Requests\/sec:/ {
      printf "events at one nginx worker\t%s\t%s\tevents/s\n", v, $2
    }
    /^ +99%/ {
      n = $2 + 0
      if ($2 ~ /us$/) n /= 1000
      else if ($2 !~ /ms$/) n *= 1000
      printf "p99 at one nginx worker\t%s\t%s\tms\n", v, n
    }' "$dir/out"
}

up=
for _ in 1 2 3 4 5 6 7 8 9 10; do
  curl -s -o "$dir/out" "http://127.0.0.1:$port/read" && up=yes && break
  sleep 0.2
done
[ -n "$up" ] || {
  echo "nginx: it does not start: $(cat "$dir/error.log")" >&2
  exit 1
}
eval "$(make -s env LUA=luajit)"
measure "read the body, answer 204" /read
measure "written by hand" /by_hand
measure "floor: answer 200 {}" /ok
measure "floor: 204, one shared entry added" /added
measure "floor: 200 {}, verified in C" /verified
measure "flexhooks, no dedupe" /plain
measure "floor: 200 {}, verified in C, one entry added" /verified_and_added
measure "flexhooks, default" /default
