# Sourced by test-installation: programs built with pkg-config.
if has pkg-config; then
  export PKG_CONFIG_PATH="$prefix/lib/pkgconfig"
  promise "C99 with pkg-config, shared" sh -c "$cc -std=c99 $strict tests/install/app.c \
    \$(pkg-config --cflags --libs zelf) -o $out/app-shared"
  consumer "the shared one" "$out/app-shared"
  promise "C99 with the first header that the library had" sh -c "$cc -std=c99 $strict \
    -Itests/install/first_header tests/install/app.c \$(pkg-config --libs zelf) -o $out/app-first"
  consumer "what was built with the first header" "$out/app-first"
  # Loaded before the library it answers for it.
  for says in 0.0.9 1.0.0; do
    echo "const char *zelf_version(void); const char *zelf_version(void) { return \"$says\"; }" |
      $cc -xc -shared -fPIC - -o "$out/says-$says.so"
  done
  start_sandbox "$out/sandbox"
  promise "a program runs with a library that says 1.0.0" env LD_LIBRARY_PATH="$prefix/lib" \
    LD_PRELOAD="$out/says-1.0.0.so" timeout 60 "$out/app-shared"
  promise "and notices one that is older than its header" sh -c "
    LD_LIBRARY_PATH=$prefix/lib LD_PRELOAD=$out/says-0.0.9.so timeout 60 $out/app-shared | grep -x 'not fine'"
  stop_sandbox
  if has "$cxx"; then
    promise "zelf::is_compatible takes any newer library, and none that is older" sh -c "
      printf '#include <zelf.hpp>\nint main() { return !zelf::is_compatible(); }\n' |
        $cxx -std=c++17 $strict -xc++ - \$(pkg-config --cflags --libs zelf) -o $out/compatible &&
      export LD_LIBRARY_PATH=$prefix/lib && $out/compatible &&
      LD_PRELOAD=$out/says-1.0.0.so $out/compatible && ! LD_PRELOAD=$out/says-0.0.9.so $out/compatible"
  fi
  promise "C99 with pkg-config, static" sh -c "$cc -std=c99 $strict tests/install/app.c \
    \$(pkg-config --cflags zelf) \$(pkg-config --variable=archive zelf) \
    \$(pkg-config --static --libs-only-l zelf | sed 's/-lzelf//') -o $out/app-static"
  promise "which needs no libzelf.so" sh -c "! readelf -d $out/app-static | grep -q libzelf"
  consumer "the static one" "$out/app-static"
  # getaddrinfo of a wholly static program loads glibc's modules all the same,
  # of which the linker warns.
  promise "C99 with pkg-config --static, wholly static" sh -c "$cc -std=c99 $strict -static \
    tests/install/app.c \$(pkg-config --static --cflags --libs zelf) -o $out/app-alone"
  start_sandbox "$out/sandbox"
  promise "the wholly static one runs" timeout 60 "$out/app-alone"
  stop_sandbox
  make -s install PREFIX="$odd"
  promise "C99 with pkg-config, in a prefix with a space" env PKG_CONFIG_PATH="$odd/lib/pkgconfig" sh -c "
    eval \"$cc -std=c99 $strict tests/install/app.c \$(pkg-config --cflags --libs zelf) -o $out/app-odd\" &&
    [ -f \"\$(pkg-config --variable=archive zelf)\" ]"
  # Since glibc 2.34 a program links without them, so none would be missed here.
  # Every cc brings libc and libgcc_s; librt and libutil are not used, see below.
  promise "the pkg-config file names what rustc says that a static library needs" sh -c "
    echo | ${RUSTC:-rustc} --crate-type staticlib --print native-static-libs - -o $out/libempty.a 2>&1 |
      sed -n 's/.*native-static-libs: //p' | tr ' ' '\n' | grep -vxE -e '-l(c|gcc_s|rt|util)' | sort >$out/needed
    [ -s $out/needed ] &&
    pkg-config --static --libs-only-l zelf | xargs -n 1 | grep -vx -e -lzelf | sort | diff $out/needed -"
else
  skip "programs built with pkg-config"
fi
