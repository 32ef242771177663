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

# framework: builds the XCFramework, and links a program with each library in it. What is tested is
# its files and names, so the compiler does not optimise.
framework_is_made() (
  unset SDKROOT
  CARGO_PROFILE_RELEASE_OPT_LEVEL=0 make -s xcframework
)
framework_is_right() {
  rm -rf "$out/framework"; mkdir -p "$out/framework"
  tests/platforms/apple/framework target/dist/CZelf.xcframework.zip "$out/framework" "$newest_nm" >"$out/libraries"
}
# framework_links SYSTEM PROCESSOR ARCHIVE
framework_links() (
  case $1 in
    macos) APPLE_TARGET=$2-apple-macos11.0 ;;
    ios) APPLE_TARGET=$2-apple-ios13.0 ;;
    simulator) APPLE_TARGET=$2-apple-ios14.0-simulator ;;
  esac
  export APPLE_TARGET SDKROOT="$out/framework/sdk-$1-$2"
  mkdir -p "$SDKROOT"
  tests/platforms/apple/stubs "$SDKROOT" "$newest_nm" "$3" &&
    "$clang" --target=$APPLE_TARGET $strict -isystem "$zig_headers/any-darwin-any" \
      -Iinclude -c tests/platforms/apple/program.c -o "$out/program.o" &&
    tests/platforms/apple/linker -Wl,-dead_strip "$out/program.o" "$3" \
      -framework Security -framework CoreFoundation -o "$out/program"
)
# Rust's compiler may be newer than LLVM 19, whose tools do not know all its objects.
newest_nm=$(ls /usr/bin/llvm-nm-[0-9]* 2>/dev/null | sort -V | tail -n 1)
newest_nm=${newest_nm:-$nm}

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
  if promise "$platform: make xcframework makes a framework" framework_is_made &&
    promise "$platform: it has the libraries, headers, names and checksum that it states" framework_is_right; then
    while read -r system processor archive; do
      promise "$platform: a C program links with its library for $system, $processor" \
        framework_links "$system" "$processor" "$archive"
    done <"$out/libraries"
  fi
  took
fi
