# Sourced by test-platforms: what a built library exports and needs. LLVM's tools read the files of
# every platform.

# llvm TOOL: prints the name of a tool of LLVM. Debian puts its version behind it.
llvm() {
  for name in "llvm-$1" "llvm-$1-19" "$(ls /usr/bin/llvm-"$1"-[0-9]* 2>/dev/null | tail -n 1)"; do
    ! has "$name" || { echo "$name"; return; }
  done
  echo "llvm-$1"
}
readelf=$(llvm readelf) nm=$(llvm nm) objdump=$(llvm objdump) readobj=$(llvm readobj)

# is_list EXPECTED-FILE COMMAND...: succeeds if the command prints these lines. Prints the first
# differences.
is_list() {
  expected=$1; shift
  "$@" | LC_ALL=C sort -u >"$out/list"
  LC_ALL=C sort -u "$expected" | diff - "$out/list" >"$out/differences"
  is_same=$?
  head -n 20 "$out/differences"
  return $is_same
}
# is_within "WORD..." COMMAND...: succeeds if the command prints none but these words, and at least
# one of them. Prints the others.
is_within() {
  within=" $(echo $1) "; shift
  "$@" >"$out/list"
  [ -s "$out/list" ] || { echo "it prints nothing: $*"; return 1; }
  ! while read -r word; do
    case $within in *" $word "*) ;; *) echo "$word" ;; esac
  done <"$out/list" | grep .
}
# is WORD COMMAND...: succeeds if the command prints this and no more.
is() {
  word=$1; shift
  printed=$("$@")
  [ "$printed" = "$word" ] || { echo "it is '$printed', not '$word'"; return 1; }
}

## ELF

elf_exports() { $nm -D --defined-only "$1" | awk '{ print $3 }' | sed 's/@.*//' | grep -v '^ZELF_0$'; }
elf_soname() { $readelf -d "$1" | sed -n 's/.*soname: \[\(.*\)\]/\1/p'; }
elf_needed() { $readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'; }
elf_flags() { $readelf -d "$1" | grep -o NODELETE; }
# The highest version of glibc's symbols, without "GLIBC_".
elf_glibc() {
  $readelf -V "$1" | grep -o 'GLIBC_[0-9.]*' | sed 's/GLIBC_//' | sort -t. -k1,1n -k2,2n | tail -n 1
}
elf_needs_glibc() { # elf_needs_glibc FILE MOST
  elf_newest=$(elf_glibc "$1")
  [ -n "$elf_newest" ] && [ "$(printf '%s\n%s\n' "$elf_newest" "$2" | sort -V | tail -n 1)" = "$2" ] ||
    { echo "it needs glibc '$elf_newest'"; return 1; }
}
# The alignment of the segments, each once, as hexadecimal numbers.
elf_alignment() { $readelf -lW "$1" | awk '$1 == "LOAD" { print $NF }' | sort -u; }
# archive_names FILE: prints the names that a static library shows, without those of import
# libraries: for each function X of a system's DLL they have X and __imp_X, and for each DLL two names.
archive_names() {
  $nm -g --defined-only "$1" 2>/dev/null | awk 'NF == 3 { print $3 }' >"$out/shown"
  sed -n 's/^__imp_//p' "$out/shown" >"$out/imported"
  grep -vxF -f "$out/imported" "$out/shown" | grep -v -e '^__imp_' -e '^_head_zelf_.*_dll' -e '^__zelf_.*_dll_iname$'
}

# elf_shape TITLE FOLDER SONAME "NEEDED...": promises about libzelf.so and libzelf.a.
elf_shape() {
  packaging/names >"$out/names"
  promise "$1: libzelf.so exports the functions of the header and no more" \
    is_list "$out/names" elf_exports "$2/libzelf.so"
  promise "$1: its SONAME is $3" is "$3" elf_soname "$2/libzelf.so"
  promise "$1: it stays loaded" is NODELETE elf_flags "$2/libzelf.so"
  promise "$1: it needs no library but $4" is_within "$4" elf_needed "$2/libzelf.so"
}
archive_shape() { # archive_shape TITLE ARCHIVE
  promise "$1: libzelf.a shows the functions of the header and no more" \
    is_list "$out/names" archive_names "$2"
}

## Windows

pe_exports() { $readobj --coff-exports "$1" | tr -d '\r' | sed -n 's/^ *Name: //p' | grep .; }
pe_imports() {
  $readobj --coff-imports "$1" | tr -d '\r' | sed -n 's/^ *Name: //p' | tr 'A-Z' 'a-z' | sort -u
}
pe_has() { # pe_has FILE CHARACTERISTIC...
  $readobj --file-headers "$1" >"$out/list"; shift
  for characteristic in "$@"; do
    grep -q "$characteristic" "$out/list" || { echo "$characteristic is missing"; return 1; }
  done
}

## Apple

macho_exports() { $nm -gU "$1" | awk '{ print $NF }' | sed 's/^_//'; }
macho_name() { $objdump --macho --dylib-id "$1" | tail -n 1; }
macho_needed() {
  $objdump --macho --dylibs-used "$1" | sed -n 's/^\t\([^ ]*\) (.*/\1/p' | grep -v "$(macho_name "$1")"
}
# The system and the least version that it is made for.
macho_least() {
  $objdump --macho --private-headers "$1" |
    awk '$1 == "platform" { platform = $2 } $1 == "minos" { print platform, $2 }'
}
