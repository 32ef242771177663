# Sourced by test-platforms: cargo for systems whose programs nothing here can run. It makes debug
# libraries, because only their shape is looked at. cargo strips them by a tool that Debian's compiler
# does not have, so they are linked with -C strip=none.

cargo_folder=$PWD/target/platforms/cargo

# cargo_for TARGET COMMAND OPTION...: runs cargo with the standard library, and for Apple's systems
# with the C compiler, that packaging finds.
cargo_for() (
  export ZELF_TARGET=$1 cargo_subcommand=$2; shift 2
  . packaging/target
  . packaging/toolchain
  find_standard_library
  case $system in macos | ios) find_tools ;; esac
  CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=0 ${CARGO:-cargo} "$cargo_subcommand" --locked \
    $cargo_options --target "$triple" --target-dir "$cargo_folder" "$@"
)

# compiles_for TARGET: promises that the library compiles, by a check without machine code.
compiles_for() {
  promise "$platform: the library compiles for $1 without a warning" check "$1"
}
check() (
  export RUSTFLAGS="-D warnings"
  cargo_for "$1" check
)

# has_clang: succeeds if there are clang, lld and zig's headers, otherwise skips the platform. Sets
# $clang and $zig_headers.
has_clang() {
  clang=
  for number in '' -19 -20 -21 -22; do
    [ -n "$clang" ] || ! has "clang$number" || ! has "ld.lld$number" || clang=clang$number
  done
  [ -n "$clang" ] || { skip "$platform (clang, lld)"; return 1; }
  zig_headers=$(python3 -c 'import os, ziglang; print(os.path.dirname(ziglang.__file__))' 2>/dev/null)/lib/libc/include
  [ -d "$zig_headers" ] || { skip "$platform (ziglang)"; return 1; }
}
