#!/bin/sh
# Verify and parse one delivery of ten fields, by either algorithm: ours on
# each Lua, libcrypto's HMAC alone over the same bytes, and twilio-node if npm
# can get it; and the same as a script has it validated.
set -eu
cd "$(dirname "$0")/.."
seconds=${SECONDS_EACH:-0.5}
tab=$(printf '\t')
twilio=6.3.1

for lua in $LUAS; do
  eval "$(make -s env LUA="$lua")"
  "$lua" bench/verify.lua "$lua" "$seconds"
done

made=build/bench
mkdir -p $made
[ $made/hmac -nt bench/hmac.c ] ||
  ${CC:-cc} -O2 -o $made/hmac bench/hmac.c -lcrypto
IFS=$tab read -r url body sha1 sha256 <<END
$("$lua" bench/verify.lua print)
END
# As many bytes as are signed: the URL, and the body without its separators.
signed="$url$(echo "$body" | tr -d '&=')"
$made/hmac "$seconds" SHA1 "verify and parse" "$signed"
$made/hmac "$seconds" SHA256 "verify and parse, SHA-256" "$signed"

package=$made/node_modules/twilio/package.json
if ! grep -qs "\"version\": \"$twilio\"" $package && command -v npm >/dev/null
then
  npm install --silent --no-fund --no-audit --prefix $made twilio@$twilio \
    >/dev/null 2>&1 || true
fi
if grep -qs "\"version\": \"$twilio\"" $package; then
  NODE_PATH=$made/node_modules node bench/verify.js "$seconds" \
    "$url" "$body" "$sha1" "$sha256"
else
  echo "# verify and parse: no twilio-node here (npm install twilio@$twilio)"
fi
