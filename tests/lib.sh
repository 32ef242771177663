# Counts promises, starts sandboxes, calls valgrind. Sourced in the top folder. The script that
# sources it sets $out, a folder for logs, and $only, the name of the one test to run (empty for
# all).

## Promises

passed=0 failed=0 skipped=0
names='' is_found=no

# wanted NAME: succeeds if the test of this name has to run.
wanted() {
  case "$names " in *" $1 "*) ;; *) names="$names $1" ;; esac
  [ -z "${only:-}" ] || [ "$only" = "$1" ] || return 1
  is_found=yes
}

ok() { passed=$((passed + 1)); echo "ok - $1"; }
not_ok() { failed=$((failed + 1)); echo "not ok - $1"; }
# skip NAME: counts a test whose tool is missing. With REQUIRE_ALL=1 this is a failure.
skip() {
  if [ "${REQUIRE_ALL:-0}" = 1 ]; then
    not_ok "$1: not available here, and everything is required"
  else
    skipped=$((skipped + 1)); echo "skipped - $1"
  fi
}
has() { command -v "$1" >/dev/null 2>&1; }

# promise NAME COMMAND...: runs the command, and counts whether it succeeds. Succeeds if it does.
# Prints the output of a failure.
promise() {
  promise_name=$1; shift
  if "$@" >"$out/log" 2>&1; then
    ok "$promise_name"
  else
    cat "$out/log"; not_ok "$promise_name"
    return 1
  fi
}

# run NAME COMMAND...: runs a program that prints its promises, against a sandbox with
# $sandbox_options. Counts these promises and the program's status.
run() {
  run_name=$1; shift
  start_sandbox "$out/sandbox" ${sandbox_options:-}
  # A deadlock counts as a broken promise, and does not stop the tests.
  timeout 300 "$@" >"$out/log" 2>"$out/errors"
  run_status=$?
  stop_sandbox
  kept=$(grep -c '^ok - ' "$out/log")
  broken=$(grep -c '^not ok - ' "$out/log")
  passed=$((passed + kept)) failed=$((failed + broken))
  if [ "${VERBOSE:-0}" = 1 ]; then cat "$out/log"; else grep '^not ok - ' "$out/log"; fi
  # A program names the parts that it cannot run here.
  sed -n 's/^skipped - //p' "$out/log" >"$out/skipped"
  while read -r skipped_part; do skip "$run_name: $skipped_part"; done <"$out/skipped"
  [ $run_status -eq 0 ] || tail -n 50 "$out/errors"
  if [ $run_status -ne 0 ] && [ "$broken" -eq 0 ] || [ "$kept" -eq 0 ]; then
    not_ok "$run_name ends with status 0 (it was $run_status)"
  fi
  echo "$run_name: $kept kept, $broken broken"
}

# finish tests/FOLDER: prints the totals, and ends the script.
finish() {
  if [ $is_found = no ]; then
    echo "there is no test ${1#tests/}/$only, only:"
    printf "  ${1#tests/}/%s\n" $names
    exit 1
  fi
  [ $skipped -eq 0 ] || echo "$1: $skipped skipped"
  echo "$1: $passed passed, $failed failed"
  [ "$failed" -eq 0 ]
  exit
}

## The sandbox

# start_sandbox FOLDER [OPTION...]: sets ZELF_HTTP, ZELF_HTTPS, ZELF_CONTROL, ZELF_PIN,
# ZELF_CA and ZELF_OTHER_CA.
start_sandbox() {
  sandbox_folder=$1; shift
  mkdir -p "$sandbox_folder"
  # No running sandbox has a certificate from this CA.
  if [ ! -f "$sandbox_folder/other-ca.pem" ]; then
    launch_sandbox; stop_sandbox
    mv "$sandbox_folder/ca.pem" "$sandbox_folder/other-ca.pem"
  fi
  launch_sandbox "$@"
  export ZELF_HTTP="$(ready_field http)" ZELF_HTTPS="$(ready_field https)"
  export ZELF_CONTROL="$(ready_field control)" ZELF_PIN="$(ready_field spki_sha256)"
  export ZELF_CA="$sandbox_folder/ca.pem" ZELF_OTHER_CA="$sandbox_folder/other-ca.pem"
}

launch_sandbox() { # launch_sandbox [OPTION...]: starts it in $sandbox_folder
  : >"$sandbox_folder/ready"
  target/debug/zelf-sandbox --ca-file "$sandbox_folder/ca.pem" "$@" \
    >"$sandbox_folder/ready" 2>"$sandbox_folder/log" &
  sandbox_pid=$!
  trap 'stop_helpers; stop_sandbox' EXIT
  trap 'exit 1' HUP INT TERM
  tries=0
  until grep -q '"ready":true' "$sandbox_folder/ready"; do
    tries=$((tries + 1))
    if [ $tries -gt 200 ] || ! kill -0 "$sandbox_pid" 2>/dev/null; then
      cat "$sandbox_folder/log" >&2
      echo "the sandbox does not start" >&2
      exit 1
    fi
    sleep 0.05
  done
}

# Stops the other processes of a test, which are listed in $helpers.
helpers=''
stop_helpers() {
  for helper in $helpers; do kill "$helper" 2>/dev/null || :; done
  # Wait until they have removed their shared resources.
  for helper in $helpers; do wait "$helper" 2>/dev/null || :; done
  helpers=''
}

ready_field() {
  sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" "$sandbox_folder/ready"
}

stop_sandbox() {
  [ -n "${sandbox_pid:-}" ] || return 0
  kill "$sandbox_pid" 2>/dev/null || :
  wait "$sandbox_pid" 2>/dev/null || :
  sandbox_pid=
}

## The library

# exports FILE: lists the functions that a shared library exports.
exports() {
  nm -D --defined-only "$1" | awk '{ print $3 }' | sed 's/@.*//' | sort -u | grep -v '^ZELF_0'
}

## valgrind

# Status 9 means a leak or an invalid access. No test program uses this status.
valgrind="valgrind -q --leak-check=full --errors-for-leak-kinds=definite,indirect,possible --error-exitcode=9"
suppressions=${ZELF_SUPPRESSIONS:-packaging/zelf.supp}
[ ! -f "$suppressions" ] || valgrind="$valgrind --suppressions=$suppressions"
