#!/bin/sh
# Verify and parse one delivery of ten fields: ours on each Lua, libcrypto's
# HMAC alone over the same bytes, and twilio-node where npm can get it.
set -eu
cd "$(dirname "$0")/.."
seconds=${SECONDS_EACH:-0.5}
tab=$(printf '\t')

for lua in $LUAS; do
  eval "$(make -s env LUA="$lua")"
  "$lua" bench/verify.lua "flexhooks, $lua" "$seconds"
done

made=build/bench
mkdir -p $made
[ $made/hmac -nt bench/hmac.c ] ||
  ${CC:-cc} -O2 -o $made/hmac bench/hmac.c -lcrypto
IFS=$tab read -r url body signature <<END
$("$lua" bench/verify.lua print)
END
# As many bytes as are signed: the URL, and the body without its separators.
$made/hmac "$seconds" "$url$(echo "$body" | tr -d '&=')"

if [ ! -d $made/node_modules/twilio ] && command -v npm >/dev/null; then
  npm install --silent --no-fund --no-audit --prefix $made twilio@5 \
    >/dev/null 2>&1 || true
fi
if [ -d $made/node_modules/twilio ]; then
  NODE_PATH=$made/node_modules node bench/verify.js "$seconds" \
    "$url" "$body" "$signature"
else
  echo "# verify and parse: twilio-node is not here (npm install twilio@5)"
fi
