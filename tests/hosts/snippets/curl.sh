#!/bin/sh
# Creates a session with curl, as on the public page, and uses its token.
set -u
answer=$(curl -sS --fail -X POST "$ZELF_HTTP/api/sessions" \
  -H 'Origin: https://app.example.com' \
  -H 'Content-Type: application/json' \
  -d '{}') || exit 1

field() { printf '%s' "$answer" | sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p"; }
token=$(field token)
lifetime=$(($(field expiresAt) - $(field activatedAt)))

promise() { # promise NAME COMMAND...: prints whether the command succeeds.
  name=$1; shift
  if "$@"; then echo "ok - $name"; else echo "not ok - $name"; fi
}
is_token() { case $1 in ey*.*.*) ;; *) false ;; esac; }
promise "curl gets a token" is_token "$token"
promise "of a session of 600 s" [ "$lifetime" -eq 600 ]

status=$(curl -sS -o /dev/null -w '%{http_code}' \
  "$ZELF_HTTP/api/zelf-name-service/v2/search?zelfName=abc.zelf" \
  -H "Authorization: Bearer $token")
promise "which a route that looks for the session accepts" [ "$status" = 200 ]
