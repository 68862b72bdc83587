#!/bin/sh
# 32 API calls at once over kept connections: a plain C program on libcurl's
# multi interface, then ours on each Lua, against one nginx that answers from
# memory. They send the same bytes, and each call has its own URL.
set -eu
cd "$(dirname "$0")/.."
seconds=${SECONDS_EACH:-2}
width=32

made=build/bench
mkdir -p $made
[ $made/http -nt bench/http.c ] ||
  ${CC:-cc} -O2 -o $made/http bench/http.c -lcurl

dir=$(mktemp -d "${TMPDIR:-/tmp}/flexhooks.XXXXXX")
trap 'kill "$nginx" 2>/dev/null; rm -rf "$dir"' EXIT
port=$((20000 + $$ % 10000))
sid=$(printf '%032d' 0)
cat >"$dir/nginx.conf" <<END
daemon off; worker_processes 1; pid $dir/pid; error_log $dir/error.log;
events { worker_connections 256; }
http {
  access_log off; keepalive_requests 100000000;
  client_body_temp_path $dir/a; proxy_temp_path $dir/b;
  fastcgi_temp_path $dir/c; uwsgi_temp_path $dir/d; scgi_temp_path $dir/e;
  server {
    listen 127.0.0.1:$port;
    location / {
      default_type application/json;
      return 200 '{"ttid":"flex_interactionwebhook_01h00000000000000000000",
"account_sid":"AC$sid","instance_sid":"GO$sid","type":"global",
"webhook_url":"https://company.example/flex/events","webhook_method":"POST",
"webhook_events":["onChannelCreated","onParticipantJoined"]}';
    }
  }
}
END
tools/nginx -p "$dir" -c "$dir/nginx.conf" 2>/dev/null &
nginx=$! up=
url=http://127.0.0.1:$port/v1/Instances/GO$sid/InteractionWebhooks
for _ in 1 2 3 4 5 6 7 8 9 10; do
  $made/http 0.01 1 "$url" >/dev/null 2>&1 && up=yes && break
  sleep 0.2
done
[ -n "$up" ] || {
  echo "http: nginx does not start: $(cat "$dir/error.log")" >&2
  exit 1
}

$made/http "$seconds" $width "$url"
$made/http "$seconds" $width "$url" again
for lua in $LUAS; do
  eval "$(make -s env LUA="$lua")"
  "$lua" bench/http.lua "flexhooks, $lua" "$seconds" $width "$url"
done
