# Sourced by test-installation: programs built with pkg-config.
if has pkg-config; then
  export PKG_CONFIG_PATH="$prefix/lib/pkgconfig"
  promise "a C99 program links to the shared library with pkg-config" sh -c "$cc -std=c99 $strict tests/install/app.c \
    \$(pkg-config --cflags --libs zelf) -o $out/app-shared"
  consumer "the program with the shared library" "$out/app-shared"
  promise "a C99 program compiles with the first header and links to this library" sh -c "$cc -std=c99 $strict \
    -Itests/install/first_header tests/install/app.c \$(pkg-config --libs zelf) -o $out/app-first"
  consumer "the program with the first header" "$out/app-first"
  # LD_PRELOAD loads it before the library, and its zelf_version answers.
  for says in 0.0.9 1.0.0; do
    echo "const char *zelf_version(void); const char *zelf_version(void) { return \"$says\"; }" |
      $cc -xc -shared -fPIC - -o "$out/says-$says.so"
  done
  start_sandbox "$out/sandbox"
  promise "a program runs with a library that says 1.0.0" env LD_LIBRARY_PATH="$prefix/lib" \
    LD_PRELOAD="$out/says-1.0.0.so" timeout 60 "$out/app-shared"
  promise "a program notices a library that is older than its header" sh -c "
    LD_LIBRARY_PATH=$prefix/lib LD_PRELOAD=$out/says-0.0.9.so timeout 60 $out/app-shared | grep -x 'not fine'"
  stop_sandbox
  if has "$cxx"; then
    promise "zelf::is_compatible takes any newer library, and none that is older" sh -c "
      printf '#include <zelf.hpp>\nint main() { return !zelf::is_compatible(); }\n' |
        $cxx -std=c++17 $strict -xc++ - \$(pkg-config --cflags --libs zelf) -o $out/compatible &&
      export LD_LIBRARY_PATH=$prefix/lib && $out/compatible &&
      LD_PRELOAD=$out/says-1.0.0.so $out/compatible && ! LD_PRELOAD=$out/says-0.0.9.so $out/compatible"
  fi
  promise "a C99 program links to the static library with pkg-config" sh -c "$cc -std=c99 $strict tests/install/app.c \
    \$(pkg-config --cflags zelf) \$(pkg-config --variable=archive zelf) \
    \$(pkg-config --static --libs-only-l zelf | sed 's/-lzelf//') -o $out/app-static"
  promise "the program with the static library needs no libzelf.so" sh -c "! readelf -d $out/app-static | grep -q libzelf"
  consumer "the program with the static library" "$out/app-static"
  # The linker warns that getaddrinfo loads glibc's modules in such a program too.
  promise "a C99 program links wholly static with pkg-config --static" sh -c "$cc -std=c99 $strict -static \
    tests/install/app.c \$(pkg-config --static --cflags --libs zelf) -o $out/app-alone"
  start_sandbox "$out/sandbox"
  promise "the wholly static program runs" timeout 60 "$out/app-alone"
  stop_sandbox
  make -s install PREFIX="$odd"
  promise "pkg-config works with a prefix that has a space" env PKG_CONFIG_PATH="$odd/lib/pkgconfig" sh -c "
    eval \"$cc -std=c99 $strict tests/install/app.c \$(pkg-config --cflags --libs zelf) -o $out/app-odd\" &&
    [ -f \"\$(pkg-config --variable=archive zelf)\" ]"
  # Since glibc 2.34 a program links without them, so no other test misses one. Every cc
  # brings libc and libgcc_s. static_library.sh shows that librt and libutil are not used.
  promise "the pkg-config file names what rustc says that a static library needs" sh -c "
    echo | ${RUSTC:-rustc} --crate-type staticlib --print native-static-libs - -o $out/libempty.a 2>&1 |
      sed -n 's/.*native-static-libs: //p' | tr ' ' '\n' | grep -vxE -e '-l(c|gcc_s|rt|util)' | sort >$out/needed
    [ -s $out/needed ] &&
    pkg-config --static --libs-only-l zelf | xargs -n 1 | grep -vx -e -lzelf | sort | diff $out/needed -"
else
  skip "programs built with pkg-config"
fi
