#!/bin/sh
# Puts a new KEM key first in a Secret and keeps the older ones, makes the first keys if there are
# none, and then publishes the public keys for clients. Each step is one write to the cluster: if this
# is stopped, the cluster has either the old keys or the new ones, and it can be run again.
set -eu
umask 077

: "${KEM_SECRET:?the Secret of KEM keys}" "${SIGNING_SECRET:?the Secret of the signing key}"
: "${PUBLIC_CONFIGMAP:?the ConfigMap of public keys}" "${KEEP:=12}" "${SETTLE_SECONDS:=180}"

# Private keys are never arguments of a command: other processes can see those.
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
trap 'exit 143' INT TERM

# `version` on the first line, then `name value` for each entry.
# shellcheck disable=SC2016 # the dollar signs are the template's
entries() {
  kubectl get secret "$1" -o go-template='{{.metadata.resourceVersion}}{{"\n"}}{{
    range $name, $value := .data}}{{$name}} {{$value}}{{"\n"}}{{end}}'
}

encoded() { base64 <"$1" | tr -d '\n'; }

# A PEM file as a JSON string.
quoted() { awk 'BEGIN { printf "\"" } { printf "%s\\n", $0 } END { printf "\"" }' "$1"; }

patch() { kubectl patch "$1" "$2" --type=merge --patch-file="$directory/patch.json"; }

# The signing key is made once: clients must know a new one before answers are signed with it.
entries "$SIGNING_SECRET" >"$directory/signing"
if grep -q '^sign\.pem ' "$directory/signing"; then
  sed -n 's/^sign\.pem //p' "$directory/signing" | base64 -d >"$directory/sign.pem"
else
  twinseal keygen --sign -o "$directory/sign.pem"
  printf '{"metadata":{"resourceVersion":"%s"},"data":{"sign.pem":"%s"}}' \
    "$(head -n 1 "$directory/signing")" "$(encoded "$directory/sign.pem")" >"$directory/patch.json"
  patch secret "$SIGNING_SECRET"
fi

# A new primary.pem. The previous one becomes the newest of the older ones, whose names sort by
# time. With the version that was read, the write fails if somebody else has written meanwhile.
entries "$KEM_SECRET" >"$directory/kem"
before=$(sed -n 's/^primary\.pem //p' "$directory/kem")
older="older-$(date -u +%Y%m%dT%H%M%SZ).pem"
if grep -q "^$older " "$directory/kem"; then
  echo "$older exists: two rotations within a second" >&2
  exit 1
fi
twinseal keygen --kem -o "$directory/primary.pem"
{
  printf '{"metadata":{"resourceVersion":"%s"},"data":{' "$(head -n 1 "$directory/kem")"
  printf '"primary.pem":"%s"' "$(encoded "$directory/primary.pem")"
  if [ -n "$before" ]; then
    printf ',"%s":"%s"' "$older" "$before"
  fi
  sed -n 's/^\(older-[0-9TZ]*\.pem\) .*/\1/p' "$directory/kem" | sort -r |
    awk -v keep="$KEEP" 'NR >= keep { printf ",\"%s\":null", $0 }'
  printf '}}'
} >"$directory/patch.json"
patch secret "$KEM_SECRET"

if [ -n "$before" ]; then
  echo "waiting $SETTLE_SECONDS s until every pod can open with the new key"
  sleep "$SETTLE_SECONDS" &
  wait $!
fi

twinseal public "$directory/primary.pem" -o "$directory/primary.pub.pem"
twinseal public "$directory/sign.pem" -o "$directory/sign.pub.pem"
printf '{"data":{"primary.pub.pem":%s,"sign.pub.pem":%s}}' \
  "$(quoted "$directory/primary.pub.pem")" "$(quoted "$directory/sign.pub.pem")" >"$directory/patch.json"
patch configmap "$PUBLIC_CONFIGMAP"
