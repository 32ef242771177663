# Sourced: start_sandbox FOLDER [OPTION...] and stop_sandbox.
# Sets ZELF_HTTP, ZELF_HTTPS, ZELF_CONTROL, ZELF_CA and ZELF_OTHER_CA.

start_sandbox() {
  sandbox_folder=$1; shift
  mkdir -p "$sandbox_folder"
  : >"$sandbox_folder/ready"
  target/debug/zelf-sandbox --ca-file "$sandbox_folder/ca.pem" "$@" \
    >"$sandbox_folder/ready" 2>"$sandbox_folder/log" &
  sandbox_pid=$!
  trap stop_sandbox EXIT
  trap 'exit 1' HUP INT TERM
  tries=0
  until grep -q '"ready":true' "$sandbox_folder/ready"; do
    tries=$((tries + 1))
    if [ $tries -gt 200 ] || ! kill -0 "$sandbox_pid" 2>/dev/null; then
      cat "$sandbox_folder/log" >&2
      echo "the sandbox did not start" >&2
      exit 1
    fi
    sleep 0.05
  done
  # Another sandbox's CA is as good as any that did not sign.
  [ -f "$sandbox_folder/other-ca.pem" ] || cp "$sandbox_folder/ca.pem" "$sandbox_folder/other-ca.pem"
  export ZELF_HTTP="$(ready_field http)" ZELF_HTTPS="$(ready_field https)"
  export ZELF_CONTROL="$(ready_field control)" ZELF_PIN="$(ready_field spki_sha256)"
  export ZELF_CA="$sandbox_folder/ca.pem" ZELF_OTHER_CA="$sandbox_folder/other-ca.pem"
}

ready_field() {
  sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" "$sandbox_folder/ready"
}

stop_sandbox() {
  [ -n "${sandbox_pid:-}" ] || return 0
  kill "$sandbox_pid" 2>/dev/null
  wait "$sandbox_pid" 2>/dev/null
  sandbox_pid=
}
