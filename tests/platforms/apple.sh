# Sourced by test-platforms: macOS, iOS and its simulator. Nothing here can run their programs: the
# library is compiled, and one for each system is linked with stubs, to see its shape.

# apple_linked TARGET CLANG-TARGET: links libzelf.dylib with stubs of what its archive needs.
apple_linked() (
  export SDKROOT="$out/sdk/$1" APPLE_TARGET="$2"
  export RUSTFLAGS="-Clinker=$PWD/tests/platforms/apple/linker"
  rm -rf "$SDKROOT"; mkdir -p "$SDKROOT"
  cargo_for "$1" rustc --crate-type staticlib &&
    tests/platforms/apple/stubs "$SDKROOT" "$nm" "$cargo_folder/$1/debug/libzelf.a" &&
    cargo_for "$1" rustc --crate-type cdylib -- -C strip=none
)
apple_needs_system() {
  is_within "/usr/lib/libSystem.B.dylib /usr/lib/libiconv.2.dylib
    /System/Library/Frameworks/Security.framework/Security
    /System/Library/Frameworks/CoreFoundation.framework/CoreFoundation" macho_needed "$1"
}

# apple_shape TARGET CLANG-TARGET LEAST: promises about the library. LEAST is the system and its
# lowest version, as llvm-objdump prints them.
apple_shape() {
  promise "$platform: libzelf.dylib for $1 is linked with stubs" apple_linked "$1" "$2" || return
  dylib=$cargo_folder/$1/debug/libzelf.dylib
  promise "$platform: $1: it exports the functions of the header and no more" \
    is_list "$out/names" macho_exports "$dylib"
  promise "$platform: $1: its install name is @rpath/libzelf.0.dylib" \
    is @rpath/libzelf.0.dylib macho_name "$dylib"
  promise "$platform: $1: it needs libraries of the system only" apple_needs_system "$dylib"
  promise "$platform: $1: its lowest version of the system is ${3#* }" is "$3" macho_least "$dylib"
}

if platform apple && tools python3 "$objdump" "$nm" && has_clang; then
  packaging/names >"$out/names"
  # Without an SDK, the C compiler of cargo's crates would look for Xcode.
  export SDKROOT="$out/sdk"; mkdir -p "$SDKROOT"
  for target in aarch64-apple-darwin x86_64-apple-darwin aarch64-apple-ios aarch64-apple-ios-sim; do
    compiles_for $target
  done
  apple_shape aarch64-apple-darwin arm64-apple-macos11.0 "macos 11.0"
  apple_shape aarch64-apple-ios arm64-apple-ios13.0 "ios 13.0"
  unset SDKROOT
  took
fi
