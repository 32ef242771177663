# Sourced by test-platforms: Linux with glibc on x86_64, with binaries for old systems.
if platform gnu && tools ${CC:-cc} cargo-zigbuild && package x86_64-unknown-linux-gnu; then
  elf_shape "$platform" "$package/lib" libzelf.so.0 "libc.so.6 libgcc_s.so.1 libpthread.so.0 libm.so.6 libdl.so.2 ld-linux-x86-64.so.2"
  promise "$platform: it needs no glibc above $oldest_glibc" \
    elf_needs_glibc "$package/lib/libzelf.so" $oldest_glibc
  archive_shape "$platform" "$package/lib/libzelf.a"
  with_shared_library "${CC:-cc}" ""
  with_archive "${CC:-cc}" ""
  took
fi
