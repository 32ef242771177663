# Sourced by test-platforms: Linux with musl, on this machine and, for AArch64, in an emulator.

# musl-gcc has no headers of the kernel.
kernel_headers() {
  mkdir -p "$out/kernel"
  for folder in linux asm-generic; do ln -sfn "/usr/include/$folder" "$out/kernel/$folder"; done
  ln -sfn "$(echo '#include <asm/errno.h>' | ${CC:-cc} -E - |
    sed -n 's|^# 1 "\(.*\)/errno.h".*|\1|p' | head -n 1)" "$out/kernel/asm"
}

# A static program needs nothing but a file with the CA's certificate.
runs_in_an_empty_folder() { # runs_in_an_empty_folder PROGRAM
  rm -rf "$out/empty"; mkdir "$out/empty"
  start_sandbox "$out/sandbox"
  cp "$1" "$out/empty/program" && cp "$ZELF_CA" "$out/empty/ca.pem"
  if [ "$(id -u)" = 0 ]; then enter=chroot; else enter="unshare -r chroot"; fi
  $enter "$out/empty" /program "$ZELF_HTTPS" /ca.pem token >"$out/token"
  status=$?
  stop_sandbox
  cat "$out/token"
  [ $status -eq 0 ] && grep -Eq '^eyJ[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.' "$out/token"
}

if platform musl && tools musl-gcc cargo-zigbuild && package x86_64-unknown-linux-musl; then
  elf_shape "$platform" "$package/lib" libzelf.so.0 "libc.so"
  archive_shape "$platform" "$package/lib/libzelf.a"
  with_shared_library musl-gcc ""
  with_archive "musl-gcc -static" ""
  promise "$platform: a static program prints a token in an empty chroot with a CA file" \
    runs_in_an_empty_folder "$program"
  kernel_headers
  c_programs "$package/lib" "musl-gcc -idirafter $out/kernel" ""
  took
fi

musl_arm64_loader=/lib/ld-musl-aarch64.so.1
# Without this option zig links its own checks, which need a newer musl.
zig_musl_arm64="$zig cc -target aarch64-linux-musl -fno-sanitize=all"
if platform musl-arm64 && tools cargo-zigbuild qemu-aarch64-static && package aarch64-unknown-linux-musl; then
  elf_shape "$platform" "$package/lib" libzelf.so.0 "libc.so"
  promise "$platform: its segments are aligned to 64 KiB" is 0x10000 elf_alignment "$package/lib/libzelf.so"
  archive_shape "$platform" "$package/lib/libzelf.a"
  with_archive "$zig_musl_arm64 -static" qemu-aarch64-static
  if [ -e $musl_arm64_loader ]; then
    with_shared_library "$zig_musl_arm64 -dynamic" qemu-aarch64-static
  else
    skip "$platform, shared ($musl_arm64_loader)"
  fi
  took
fi
