# Sourced by test-platforms: Linux with glibc on s390x, in an emulator. Its bytes are in the other
# order. It has no release archive.
s390x_root=/usr/s390x-linux-gnu
s390x_target=s390x-unknown-linux-gnu
if platform s390x && tools s390x-linux-gnu-gcc qemu-s390x-static $s390x_root &&
  promise "make lib TARGET=$s390x_target builds the library" make -s lib TARGET=$s390x_target; then
  ! has cargo-zigbuild || promise "$platform: libzelf.so runs with glibc $oldest_glibc" \
    elf_needs_glibc "target/$s390x_target/release/libzelf.so" $oldest_glibc
  c_programs "$PWD/target/$s390x_target/release" s390x-linux-gnu-gcc \
    "qemu-s390x-static -L $s390x_root"
  took
fi
