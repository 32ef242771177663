# Sourced by test-installation: tests programs and plug-ins that contain the library.
promise "two static libraries in Rust can be in one program" sh -c "
  ${RUSTC:-rustc} --edition 2024 --crate-type staticlib -O tests/c/second_library.rs -o $out/libsecond.a &&
  $cc -std=c99 $strict tests/install/two_libraries.c -I$prefix/include $prefix/lib/libzelf.a $out/libsecond.a \
    -lpthread -ldl -lm -o $out/two && $out/two &&
  $cc -std=c99 $strict tests/install/two_libraries.c -I$prefix/include $out/libsecond.a $prefix/lib/libzelf.a \
    -lpthread -ldl -lm -o $out/two && $out/two"
exclude=$(sed -n 's/.*`\(-Wl,--exclude-libs[^`]*\)`.*/\1/p' README.md)
promise "a plug-in built as the README says uses its copy of the library" sh -c "
  $cc -std=c99 $strict -rdynamic tests/install/plugin_host.c -ldl -o $out/host &&
  for flags in '' '$exclude'; do
    $cc -std=c99 $strict -shared -fPIC tests/install/plugin.c -I$prefix/include $prefix/lib/libzelf.a \
      -lpthread -ldl -lm \$flags -o $out/plugin.so && $out/host $out/plugin.so || exit 1
  done >$out/versions
  printf '%s\n' \"the host's\" $version | diff - $out/versions"
if has nm; then
  promise "the static library uses nothing of librt and libutil" sh -c "
    nm -u $prefix/lib/libzelf.a | grep -q ' U pthread_create' &&
    ! nm -u $prefix/lib/libzelf.a | grep -E ' U (aio|lio|mq|shm|timer)_|pty\$|login|log(out|wtmp)'"
  promise "the static library exports zelf_* only" sh -c "
    nm -g --defined-only $prefix/lib/libzelf.a | awk 'NF == 3 { print \$3 }' | sort | diff - $out/names"
fi
