# Sourced by test-abi: each example, from its success to each failure.

example() { # example NAME FLAG...
  example=$1; shift
  promise "$example compiles as C99 without a warning" $cc -std=c99 $strict "examples-c/$example.c" \
    -Iinclude -L$release -lzelf -Wl,-rpath,"$PWD/$release" "$@" -o "$out/$example"
  promise "$example prints a token, and each failure" every_path timeout 60
  if has valgrind; then
    promise "$example is clean under valgrind on each path" every_path timeout 60 $valgrind
  fi
}
every_path() { # every_path COMMAND...: with the example as its last argument
  start_sandbox "$out/sandbox"
  gives 0 "$@" "$out/$example" "$ZELF_HTTPS" https://a.test example "$ZELF_CA" &&
    grep -q '^eyJ' "$out/output" &&
    gives 1 "$@" "$out/$example" "$ZELF_HTTPS" https://a.test example &&
    gives 1 "$@" "$out/$example" http://127.0.0.1:1 &&
    gives 1 "$@" "$out/$example" http://127.0.0.1:1 https://a.test undefined &&
    gives 1 "$@" "$out/$example" nonsense
  is_fine=$?
  stop_sandbox
  return $is_fine
}

if wanted create_session; then example create_session; fi
if wanted create_session_async; then example create_session_async -lpthread; fi
for loop in libuv:libuv glib:glib-2.0; do
  wanted "create_session_${loop%:*}" || continue
  if has pkg-config && pkg-config --exists "${loop#*:}"; then
    # -isystem: their headers may have warnings.
    example "create_session_${loop%:*}" -D_GNU_SOURCE \
      $(pkg-config --cflags "${loop#*:}" | sed 's/-I/-isystem /g') $(pkg-config --libs "${loop#*:}")
  else
    skip "create_session_${loop%:*} (pkg-config ${loop#*:})"
  fi
done
