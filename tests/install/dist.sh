# Sourced by test-installation: tests the names of what make dist packs, with a library whose functions
# only call one of the C library. archive.sh tests the archive itself.
fake=$out/dist
mkdir -p "$fake/bin" "$fake/tree/lib"
sed 's/.*/void abort(void); void &(void) { abort(); }/' "$out/names" >"$fake/zelf.c"
cp -r packaging include docs examples-c README.md LICENSE-* "$fake/tree"
# This cargo compiles nothing, and has no crates.
program "$fake/bin/cargo-zigbuild" <<EOF
#!/bin/sh
case "\$*" in *--target-dir*) ;; *) exit 0 ;; esac
while [ "\$1" != --target-dir ]; do shift; done
folder=\$2/$host/release
mkdir -p "\$folder" && cp $fake/libzelf.a "\$folder" &&
  echo '{"reason":"compiler-artifact","filenames":["'"\$folder"'/libzelf.a"]}'
EOF
# This zig links as the compiler of this machine does. It prints a relative path, as an installed one may.
program "$fake/bin/zig" <<EOF
#!/bin/sh
case \$1 in
  cc) shift 3; exec $cc "\$@" ;;
  env) echo '"lib_dir": "lib",' ;;
  ld.lld) shift; [ -z "\${OLD_LINKER:-}" ] || exit 1; exec ld "\$@" ;;
  ar) exec "\$@" ;;
esac
EOF
printf '#!/bin/sh\nexec objcopy "$@"\n' | program "$fake/bin/llvm-objcopy"
dist() { # dist SETTING...: packs an archive in $fake/tree
  env -u ZELF_CC -u ZELF_GLIBC PATH="$fake/bin:$PATH" CARGO="$fake/bin/cargo-zigbuild" \
    ${1:+"$@"} "$fake/tree/packaging/dist"
}
packed() { # packed FILE...: succeeds if these are the files, in the order of ls
  echo "$@" >"$fake/names" && (cd "$fake/tree/target/dist" && echo *) | diff "$fake/names" -
}
# lists LICENCE TARGET UNWINDER: succeeds if the summary of licences has it, and no other compiler's.
lists() {
  echo "$3" >"$fake/unwinder"; : >"$fake/crates"
  CARGO="$fake/bin/cargo-zigbuild" ZELF_TARGET=$2 packaging/licences "$fake/licences" "$fake/crates" &&
    grep "$1" "$fake/licences/SUMMARY" && [ "$(grep -c -e libgcc -e LLVM "$fake/licences/SUMMARY")" = 1 ]
}
promise "the licences for musl name LLVM's unwinder, if it was linked" \
  lists LLVM x86_64-unknown-linux-musl /lib/libunwind.a
promise "the licences for musl name GCC's unwinder, if it was linked" \
  lists libgcc x86_64-unknown-linux-musl /lib/libgcc_eh.a
promise "the licences for Windows name MinGW-w64's runtime" lists MinGW x86_64-pc-windows-gnu ""
case $host in
  *-linux-gnu*)
    (cd "$fake" && $cc -fPIC -c zelf.c && ar rcs libzelf.a zelf.o)
    promise "without zig, the version of glibc is printed that the library needs" sh -c "
      ZELF_TARGET=$host ZELF_CC='$cc' packaging/shared $fake 2>$fake/said &&
      grep 'the library needs glibc 2\.[0-9]' $fake/said"
    name=zelf-$version-$host
    promise "make dist packs an archive for an old glibc" dist ZELF_TARGET="$host"
    promise "its name has the version of glibc" \
      packed SHA256SUMS "$name-glibc2.17-debug.tar.gz" "$name-glibc2.17.tar.gz"
    promise "make dist packs an archive for this machine" dist
    promise "it leaves the archives of others" \
      packed SHA256SUMS "$name-debug.tar.gz" "$name-glibc2.17-debug.tar.gz" "$name-glibc2.17.tar.gz" "$name.tar.gz"
    promise "both builds have their folders" \
      [ -f "$fake/tree/target/dist-build/glibc2.17/$host/release/libzelf.so" ]
    promise "make dist refuses a linker that is too old, and names a newer one" sh -c "
      ! PATH='$fake/bin:$PATH' OLD_LINKER=1 ZELF_TARGET=$host BUILT_ARCHIVE=$fake/libzelf.a \
        packaging/archive $fake/old.a 2>$fake/said && grep 'NDK r28' $fake/said"
    mkdir -p "$fake/a compiler"
    printf '#!/bin/sh\nexec %s "$@"\n' "$cc" | program "$fake/a compiler/it's cc"
    promise "make dist works with a compiler whose path has spaces" \
      dist ZELF_TARGET="$host" ZELF_CC="$fake/a compiler/it's cc"
    promise "cargo gets this compiler" "$fake/tree/target/dist-build/$host/cc" --version ;;
  *) skip "the names of the archives of make dist (glibc)" ;;
esac
