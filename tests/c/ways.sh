# Sourced by test-abi: the ways to run a program.
#   plain      with the library that is released
#   hooks      with a library that panics on demand
#   valgrind   the plain one, under valgrind
#   asan       AddressSanitizer for the program, not for the library
#   asan_both  AddressSanitizer for both: REQUIRE_ALL=1 or ZELF_ASAN=1
#   tsan       ThreadSanitizer for both: REQUIRE_ALL=1 or ZELF_RACES=1
ways="plain hooks valgrind asan asan_both tsan"
host=$(${RUSTC:-rustc} -vV | sed -n 's/^host: //p')
address="-fsanitize=address,undefined -fno-sanitize-recover=all"
thread=tests/c/thread_sanitizer
races="TSAN_OPTIONS=suppressions=$PWD/$thread/known_false.txt exitcode=66"

# row "PROGRAM [ARGUMENT...]" "SANDBOX OPTION..." WAY...: runs the program if $way is in the list.
row() {
  command=$1 sandbox_options=$2; shift 2
  case " $* " in *" $way "*) ;; *) return ;; esac
  if wanted "${command%% *}" && is_ready; then run_row $command; fi
}

run_row() { # run_row PROGRAM [ARGUMENT...]
  title="$*${sandbox_options:+ (sandbox $sandbox_options)}"
  program=$1; shift
  case $way in
    plain)
      build "$program" "compiles without a warning" -L$release &&
        run "$title" "$out/$program" "$@" ;;
    hooks)
      build "$program" "compiles without a warning" -Ltarget/debug &&
        run "$title with test hooks" "$out/$program" "$@" ;;
    valgrind)
      build "$program" "compiles without a warning" -L$release &&
        run "$title under valgrind" $valgrind "$out/$program" "$@" ;;
    asan)
      build "$program-asan" "compiles with AddressSanitizer" -L$release $address &&
        run "$title under AddressSanitizer" "$out/$program-asan" "$@" ;;
    asan_both)
      build "$program-asan-both" "links to a sanitized library" "-Ltarget/asan/$host/debug" $address &&
        run "$title under AddressSanitizer on both sides" "$out/$program-asan-both" "$@" ;;
    tsan)
      promise "$program compiles with ThreadSanitizer" $thread/build "tests/c/$program.c" &&
        run "$title without a race" env "$races" "target/tsan/$program" "$@" ;;
  esac
}

# build NAME PROMISE -LFOLDER FLAG...: compiles a program to $out/NAME, once.
built=' '
build() {
  case $built in *" $1 "*) [ -x "$out/$1" ]; return ;; esac
  built="$built$1 "
  build_name=$1 build_promise=$2 folder=${3#-L}; shift 3
  # A program looks for the library by its SONAME.
  [ -e "$folder/libzelf.so.0" ] || ln -s libzelf.so "$folder/libzelf.so.0"
  rm -f "$out/$build_name"
  promise "$program $build_promise" \
    $cc -std=c99 -D_GNU_SOURCE $strict -g "$@" "tests/c/$program.c" -Iinclude \
    -L"$folder" -lzelf -Wl,-rpath,"$PWD/$folder" -lpthread -ldl -o "$out/$build_name"
  [ -x "$out/$build_name" ]
}

# begin WAY: sets the way for the next rows.
begin() {
  way=$1 readiness=unknown
  # ZELF_QUICK skips promises about time, because a program runs up to fifty times slower.
  case $way in valgrind | asan_both | tsan) export ZELF_QUICK=1 ;; *) unset ZELF_QUICK ;; esac
}
# Prepares what $way needs, once.
is_ready() {
  if [ $readiness = unknown ]; then
    if prepare; then readiness=yes; else readiness=no; fi
  fi
  [ $readiness = yes ]
}
prepare() {
  case $way in
    hooks)
      promise "the library with test hooks compiles" \
        ${CARGO:-cargo} build --locked --features test-hooks ;;
    valgrind)
      has valgrind || { skip "memory checks (valgrind)"; return 1; } ;;
    asan)
      has_asan || { skip "AddressSanitizer ($cc -fsanitize=address)"; return 1; } ;;
    asan_both)
      is_enabled "${ZELF_ASAN:-}" || {
        echo "not run - the library under AddressSanitizer (ZELF_ASAN=1 make test)"; return 1; }
      has_asan || { skip "the library under AddressSanitizer ($cc -fsanitize=address)"; return 1; }
      promise "the library itself compiles with AddressSanitizer" env RUSTC_BOOTSTRAP=1 \
        RUSTFLAGS=-Zsanitizer=address ${CARGO:-cargo} build --locked \
        --target "$host" --target-dir target/asan ;;
    tsan)
      is_enabled "${ZELF_RACES:-}" || {
        echo "not run - the library under ThreadSanitizer (ZELF_RACES=1 make test)"; return 1; }
      promise "the library compiles with ThreadSanitizer" $thread/build $thread/race.c &&
        promise "a race in the library would be seen" gives 66 env "$races" target/tsan/race ;;
  esac
}
is_enabled() { [ "${REQUIRE_ALL:-0}" = 1 ] || [ -n "$1" ]; }
has_asan() {
  echo 'int main(void) { return 0; }' >"$out/asan.c"
  $cc -fsanitize=address,undefined "$out/asan.c" -o "$out/asan" 2>/dev/null && "$out/asan"
}

# gives STATUS COMMAND...: succeeds if the command ends with this status.
gives() {
  wanted_status=$1; shift
  "$@" >"$out/output"
  status=$?
  [ $status -eq "$wanted_status" ] || echo "status $status instead of $wanted_status: $*"
  [ $status -eq "$wanted_status" ]
}
