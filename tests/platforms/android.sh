# Sourced by test-platforms: Android. Nothing here can run its programs, and its NDK is not there:
# the library is compiled, and linked with the names of the system left open, to see its shape.

android_tools() { # android_tools TARGET: sets the C compiler and the linker for cargo
  android_name=$(echo "$1" | tr - _)
  export "CC_$android_name=$clang" "AR_$android_name=$(llvm ar)"
  export "CFLAGS_$android_name=--target=${1}21 -isystem $zig_headers/${1%%-*}-linux-musl -isystem $zig_headers/generic-musl"
  export ANDROID_TARGET="${1}21" ANDROID_STUBS="$out/stubs"
}
android_linked() (
  export RUSTFLAGS="-Clinker=$PWD/tests/platforms/android/linker"
  cargo_for "$1" rustc --crate-type cdylib -- -C strip=none
)
android_needs() { $nm -D --undefined-only "$1" | awk '$1 == "U" { print $2 }'; }

if platform android && tools python3 "$readelf" "$nm" && has_clang; then
  { packaging/names; echo zelf_android_init; } >"$out/names"
  for target in aarch64-linux-android x86_64-linux-android; do
    android_tools $target
    compiles_for $target
    promise "$platform: libzelf.so for $target is linked, with open names" android_linked $target ||
      continue
    so=$cargo_folder/$target/debug/libzelf.so
    promise "$platform: $target: it exports the functions of the header and no more" \
      is_list "$out/names" elf_exports "$so"
    promise "$platform: $target: its SONAME is libzelf.so" is libzelf.so elf_soname "$so"
    promise "$platform: $target: it stays loaded" is NODELETE elf_flags "$so"
    promise "$platform: $target: its segments are aligned to 16 KiB" is 0x4000 elf_alignment "$so"
    promise "$platform: $target: it needs only functions that Android 5 has" \
      is_within "$(grep -v '^#' tests/platforms/android/functions)" android_needs "$so"
  done
  took
fi
