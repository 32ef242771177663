# Sourced by test-installation: tests programs built with pkg-config.
if has pkg-config; then
  export PKG_CONFIG_PATH="$prefix/lib/pkgconfig"
  promise "a C99 program links to the shared library with pkg-config" sh -c "$cc -std=c99 $strict tests/install/app.c \
    \$(pkg-config --cflags --libs zelf) -o $out/app-shared"
  consumer "the program with the shared library" "$out/app-shared"
  promise "a C99 program compiles with the first header and links to this library" sh -c "$cc -std=c99 $strict \
    -Itests/install/first_header tests/install/app.c \$(pkg-config --libs zelf) -o $out/app-first"
  consumer "the program with the first header" "$out/app-first"
  # LD_PRELOAD loads it before the library, so its zelf_version is called.
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
  # The linker warns that getaddrinfo loads glibc modules even in a static program.
  promise "a C99 program links wholly static with pkg-config --static" sh -c "$cc -std=c99 $strict -static \
    tests/install/app.c \$(pkg-config --static --cflags --libs zelf) -o $out/app-alone"
  start_sandbox "$out/sandbox"
  promise "the wholly static program runs" timeout 60 "$out/app-alone"
  stop_sandbox
  # builds TREE [OPTION]: builds programs with the shared and the static library of this tree, from
  # a shell and with CMake. OPTION is passed to pkg-config.
  builds() {
    tree=$1 option=${2:-}
    export PKG_CONFIG_PATH="$tree/lib/pkgconfig"
    flags=$(pkg-config $option --cflags --libs zelf) &&
      # A variable is a path in which \ precedes each space.
      archive=$(pkg-config $option --variable=archive zelf | sed 's/\\\(.\)/\1/g') &&
      eval "$cc -std=c99 $strict tests/install/app.c $flags -o $out/app-odd" &&
      eval "$cc -std=c99 $strict tests/install/app.c $(pkg-config $option --cflags zelf) \"\$archive\" \
        -lpthread -ldl -lm -o $out/app-odd" || return 1
    # CMake does not write a Makefile if a path contains |.
    case $tree in *"|"*) return ;; esac
    ! has cmake || {
      rm -rf "$out/pkg-config"
      cmake -S tests/install/pkg_config -B "$out/pkg-config" -DPKG_CONFIG_ARGN="$option" &&
        cmake --build "$out/pkg-config"
    }
  }
  # Several names: a single space, characters special to a shell, and patterns.
  for name in "a b" "a b&c|d" "a  ~[b]*?!" "a <b> %41=^{c}@+"; do
    make -s install PREFIX="$out/odd/$name" >"$out/log"
    promise "pkg-config works with the prefix '$name'" builds "$out/odd/$name"
    rm -rf "$out/moved"; cp -r "$prefix" "$out/moved" && mv "$out/moved" "$out/odd/$name/moved $name"
    promise "pkg-config --define-prefix works in a tree that stayed at '$name'" builds "$out/odd/$name" --define-prefix
    promise "pkg-config --define-prefix works in a tree that was moved to '$name'" \
      builds "$out/odd/$name/moved $name" --define-prefix
  done
  # pkgconf itself does not quote these with --define-prefix.
  for name in "o'neil" "it's 'a b'"; do
    make -s install PREFIX="$out/odd/$name" >"$out/log"
    promise "pkg-config works with the prefix $name" builds "$out/odd/$name"
  done
  make -s install PREFIX="$out/odd/one" LIBDIR="$out/odd/li b's/lib" INCLUDEDIR="$out/odd/one/in clude's" >"$out/log"
  promise "pkg-config works with a space in LIBDIR and INCLUDEDIR" builds "$out/odd/li b's"
  # In an archive of make dist, the .pc file finds its own location.
  DESTDIR="$out/odd/di st" PREFIX=/zelf PC_PREFIX='${pcfiledir}/../..' LIBDIR= INCLUDEDIR= MANDIR= DOCDIR=/zelf \
    packaging/install
  for option in "" --define-prefix; do
    promise "pkg-config $option works in an archive that was unpacked at a path with a space" \
      builds "$out/odd/di st/zelf" "$option"
  done
  export PKG_CONFIG_PATH="$prefix/lib/pkgconfig"
  # Since glibc 2.34 programs link without these, so no other test notices if one is missing. Every
  # cc links libc and libgcc_s. static_library.sh shows that librt and libutil are not used.
  promise "the pkg-config file names what rustc says that a static library needs" sh -c "
    echo | ${RUSTC:-rustc} --crate-type staticlib --print native-static-libs - -o $out/libempty.a 2>&1 |
      sed -n 's/.*native-static-libs: //p' | tr ' ' '\n' | grep -vxE -e '-l(c|gcc_s|rt|util)' | sort >$out/needed
    [ -s $out/needed ] &&
    pkg-config --static --libs-only-l zelf | xargs -n 1 | grep -vx -e -lzelf | sort | diff $out/needed -"
else
  skip "programs built with pkg-config"
fi
