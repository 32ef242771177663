# Sourced by test-installation: tests the symbols and dependencies of the shared library.
if has readelf; then
  promise "the SONAME is libzelf.so.0, and every symbol has a version" sh -c "
    readelf -d $prefix/lib/libzelf.so | grep -q 'soname: \[libzelf.so.0\]' &&
    [ \$(readelf -W --dyn-syms $prefix/lib/libzelf.so | grep -c ' zelf_[a-z0-9_]*@@ZELF_0') = \$(packaging/names | wc -l) ]"
  promise "the stripped library has at most 2.6 MB" sh -c "
    strip -o $out/stripped.so $prefix/lib/libzelf.so && [ \$(wc -c <$out/stripped.so) -le 2600000 ]"
  # The loader is a named dependency, because thread-local variables need __tls_get_addr.
  promise "the library needs libc, libgcc_s and the loader only" sh -c "
    ! readelf -d $prefix/lib/libzelf.so | grep NEEDED |
      grep -vE '\[(libc\.so\.6|libgcc_s\.so\.1|ld-linux[-a-z0-9_]*\.so\.[0-9])\]'"
  promise "the library needs no glibc after 2.34" sh -c "
    readelf -V $prefix/lib/libzelf.so | grep -o 'GLIBC_2\.[0-9]*' | sort -u |
      awk -F. '\$2 > 34 { print; late = 1 } END { exit late }'"
  # A library built here has the symbol versions of this glibc. One built on an old system gets the
  # older versions of the same functions, if they exist there, so count the first version of each
  # function. The stat functions were linked into each program by old versions of glibc.
  needs_no_later_glibc() {
    for library in libc.so.6 libm.so.6; do
      readelf -W --dyn-syms "$($cc -print-file-name=$library)"
    done >"$out/glibc"
    readelf -W --dyn-syms target/release/libzelf.so | awk '
      $8 !~ /@GLIBC_2\.[0-9]/ { next }
      { name = since = $8; sub(/@.*/, "", name); sub(/.*@GLIBC_2\./, "", since); since += 0 }
      $7 != "UND" { if (!(name in first) || since < first[name]) first[name] = since; next }
      FILENAME != "-" || $5 != "GLOBAL" || name ~ /^[fl]?stat(at)?(64)?$/ { next }
      { if (name in first && first[name] < since) since = first[name]; checked++ }
      since > 17 { print name, "came with glibc 2." since; late = 1 }
      END { exit late || !checked }' "$out/glibc" -
  }
  promise "the library needs no function that came after glibc 2.17" needs_no_later_glibc
else
  skip "the shared library's outside (readelf)"
fi
