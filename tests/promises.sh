# Sourced by what runs tests: each promise is counted and named. $out is a folder
# for what they print. With REQUIRE_ALL=1 a missing tool is a failure instead of
# a skipped check.
passed=0 failed=0 skipped=0
mkdir -p "$out"

ok() { passed=$((passed + 1)); echo "ok - $1"; }
not_ok() { failed=$((failed + 1)); echo "not ok - $1"; }
skip() {
  if [ "${REQUIRE_ALL:-0}" = 1 ]; then
    not_ok "$1: not to be had here, and everything is required"
  else
    skipped=$((skipped + 1)); echo "skipped - $1"
  fi
}
has() { command -v "$1" >/dev/null 2>&1; }
# promise NAME COMMAND...: what it prints is shown when it fails.
promise() {
  name=$1; shift
  if "$@" >"$out/log" 2>&1; then ok "$name"; else cat "$out/log"; not_ok "$name"; fi
}

