# Sourced by test-abi: tests the header and the exported names.

# compiles LINE...: compiles a C file with these lines.
compiles() {
  printf '%s\n' "$@" | $cc -std=c99 $strict -Iinclude -xc -fsyntax-only -
}
# Makes a program from the list in the header. It asks the library for each name.
every_status_has_its_name() {
  {
    printf '%s\n' '#include <zelf.h>' '#include <string.h>' 'int main(void) {'
    sed -n 's/^#define \(ZELF_OK\|ZELF_ERROR_[A-Z_]*\) [0-9]*$/if (strcmp(zelf_status_name(\1), "\1") != 0 || strcmp(zelf_status_message(\1), zelf_status_message(-1)) == 0) return 1;/p' include/zelf.h
    printf '%s\n' 'return 0;' '}'
  } >"$out/status_names.c"
  [ "$(grep -c strcmp "$out/status_names.c")" -gt 20 ] &&
    $cc -std=c99 $strict "$out/status_names.c" -Iinclude -L$release -lzelf \
      -Wl,-rpath,"$PWD/$release" -o "$out/status_names" &&
    "$out/status_names"
}
panics_are_everywhere() {
  for name in $(packaging/names); do
    grep -q "$name(" tests/c/panic.c || { echo "$name is not in tests/c/panic.c"; return 1; }
  done
}
if wanted header; then
  promise "the header compiles alone as C99" compiles '#include <zelf.h>'
  promise "the header compiles twice in one file" compiles '#include <zelf.h>' '#include <zelf.h>'
  promise "the test of panics calls every function of the header" panics_are_everywhere
  promise "every status in the header has its name and a meaning in the library" every_status_has_its_name
fi

exports_are_the_header() {
  exports $release/libzelf.so >"$out/exported"
  packaging/names | diff - "$out/exported"
}
if wanted exports; then
  if has nm; then
    promise "what the header declares is exported, and nothing else" exports_are_the_header
  else
    skip "exported names (nm)"
  fi
fi
