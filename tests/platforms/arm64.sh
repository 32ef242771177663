# Sourced by test-platforms: Linux with glibc on AArch64, in an emulator.
arm64_root=/usr/aarch64-linux-gnu
if platform arm64 && tools aarch64-linux-gnu-gcc qemu-aarch64-static $arm64_root cargo-zigbuild &&
  package aarch64-unknown-linux-gnu; then
  arm64="qemu-aarch64-static -L $arm64_root"
  elf_shape "$platform" "$package/lib" libzelf.so.0 "libc.so.6 libgcc_s.so.1 libpthread.so.0 libm.so.6 libdl.so.2 ld-linux-aarch64.so.1"
  promise "$platform: it needs no glibc above $oldest_glibc" \
    elf_needs_glibc "$package/lib/libzelf.so" $oldest_glibc
  # A kernel may have pages of 64 KiB.
  promise "$platform: its segments are aligned to 64 KiB" is 0x10000 elf_alignment "$package/lib/libzelf.so"
  archive_shape "$platform" "$package/lib/libzelf.a"
  with_shared_library aarch64-linux-gnu-gcc "$arm64"
  with_archive aarch64-linux-gnu-gcc "$arm64"
  c_programs "$package/lib" aarch64-linux-gnu-gcc "$arm64"
  took
fi
