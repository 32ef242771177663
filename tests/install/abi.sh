# Sourced by test-installation: compares the ABI with that in docs/abi.
mkdir -p "$out/abi"
packaging/abi "$out/abi"
promise "docs/abi/symbols lists every function and since when it is there" \
  diff docs/abi/symbols "$out/abi/symbols"
promise "docs/abi/numbers has every status, level, type and size, as it is" \
  diff docs/abi/numbers "$out/abi/numbers"
promise "docs/abi/numbers has as many entries as the header has numbers" sh -c "
  [ \$(wc -l <docs/abi/numbers) = \$(grep '^#define ZELF_' include/zelf.h | grep -cvE 'ZELF_(H\$|API|MUST_USE|VERSION)') ]"
promise "docs/abi/symbols gives every function a version" sh -c "! grep '?' docs/abi/symbols"
if has nm; then
  exports "$prefix/lib/libzelf.so" >"$out/exported"
  promise "the library exports every function of docs/abi/symbols" sh -c "
    cut -d' ' -f1 docs/abi/symbols | diff - $out/exported"
else
  skip "the exports of docs/abi/symbols (nm)"
fi
# abi_of FOLDER: writes the ABI of the header in FOLDER/include to FOLDER.
abi_of() { cp -r packaging "$1" && "$1/packaging/abi" "$1"; }
mkdir -p "$out/changed/include"
sed 's/uint32_t ms/uint64_t ms/; s/\(ERROR_TIMEOUT\) 13/\1 14/' include/zelf.h >"$out/changed/include/zelf.h"
mkdir -p "$out/first/include"; cp tests/install/first_header/zelf.h "$out/first/include"
for folder in changed first; do abi_of "$out/$folder"; done
promise "a status with another number would be noticed" sh -c "
  diff docs/abi/numbers $out/changed/numbers | grep -q 'TIMEOUT 14'"
promise "all names and numbers of the first header are as they were" sh -c "
  [ -s $out/first/numbers ] && [ -s $out/first/symbols ] &&
  ! cat $out/first/numbers $out/first/symbols | grep -vxF -f docs/abi/numbers -f docs/abi/symbols"
if has abidiff && [ "$(getconf LONG_BIT)" = 64 ]; then
  promise "the ABI is the one that was written down (if it changed on purpose: make abi)" \
    abidiff docs/abi/zelf.abi "$out/abi/zelf.abi"
  promise "a parameter of another size would be noticed" sh -c "
    abidiff docs/abi/zelf.abi $out/changed/zelf.abi | grep -q 'uint32_t to uint64_t'"
  promise "the types of the first header's functions are as they were" \
    abidiff --no-added-syms "$out/first/zelf.abi" docs/abi/zelf.abi
  if has clang; then
    mkdir -p "$out/another"
    promise "the ABI is the same on another machine" sh -c "
      CC='clang --target=aarch64-linux-gnu' packaging/abi $out/another &&
      abidiff docs/abi/zelf.abi $out/another/zelf.abi"
  else
    skip "the ABI on another machine (clang)"
  fi
else
  skip "the ABI (abidiff, 64 bits)"
fi
