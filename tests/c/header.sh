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
# ignores CALL [OPTION...]: compiles a C file that ignores the result of a call.
ignores() {
  call=$1; shift
  printf '%s\n' '#include <zelf.h>' "void f(void); void f(void) { $call; }" |
    $cc -std=c99 $strict "$@" -Iinclude -xc -c - -o "$out/ignores.o"
}
warns_of() {
  ! ignores "$1" 2>"$out/said" && grep -q unused-result "$out/said" && ignores "$1" -DZELF_MUST_USE=
}
every_object_has_to_be_used() {
  tr '\n' ' ' <include/zelf.h | tr ';' '\n' >"$out/declared"
  grep -q 'ZELF_API *ZELF_MUST_USE *zelf_session  *\*zelf_session_create(' "$out/declared" &&
    ! grep 'ZELF_API *zelf_[a-z_]* *\*' "$out/declared"
}
# Prints the comment of each function, after its name, with one paragraph on a line. A parameter is
# a paragraph.
comments() {
  awk '
    function flush() { if (part != "") all = all part "\n"; part = "" }
    /^\/\*\*/ { all = part = ""; inside = 1; fresh = listed = 0 }
    inside {
      ends = sub(/ ?\*\/$/, ""); sub(/^\/\*\* ?/, ""); sub(/^ \* ?/, "")
      if ($0 == "" || (fresh || listed) && /^[a-z_]+(, [a-z_]+)*: /) { flush(); listed = $0 != "" }
      else if (!/^ /) listed = 0
      fresh = $0 == ""
      sub(/^ +/, ""); part = part (part == "" ? "" : " ") $0
      if (ends) { flush(); inside = 0 }
      next
    }
    /^ZELF_API/ { declared = 1 }
    declared && match($0, /zelf_[a-z0-9_]*\(/) {
      print "# " substr($0, RSTART, RLENGTH - 1); printf "%s", all; declared = 0
    }' include/zelf.h >"$out/comments"
  [ "$(grep -c '^# zelf_' "$out/comments")" -ge "$(packaging/names | wc -l)" ]
}
first_sentences_are_short() {
  comments && awk '
    /^# / { name = $2; getline; sub(/\.( .*|$)/, ""); if (NF >= 15) { print name ": " $0; long = 1 } }
    END { exit long }' "$out/comments"
}
# Text comes first, then parameters, what the function returns, errors, and the default.
parts_are_in_order() {
  comments && awk '
    function wrong(why) { print name ": " why; failed = 1 }
    /^# / { name = $2; last = returns = errors = 0; first = 1; next }
    {
      part = 0
      if (/^[a-z_]+(, [a-z_]+)*: /) part = 1
      if (/^Returns /) { part = first ? 0 : 2; if (returns++) wrong("returns twice") }
      if (/^Errors: /) { part = 3; if (errors++) wrong("errors twice") }
      if (/^Default: /) part = 4
      if (part < last) wrong("\"" substr($0, 1, 30) "...\" comes too late")
      if (!first && /[.] (Returns|Errors:) /) wrong("two parts in one paragraph")
      last = part; first = 0
    }
    END { exit failed }' "$out/comments"
}
the_rule_of_null_stands_once() {
  ! grep -nE '(NULL|0|false|ZELF_OK) for NULL|or for NULL|ignores (a )?NULL|only if the library has a bug' include/zelf.h |
    grep -v 'parameter fails only if the library has a bug'
}
if wanted header; then
  promise "the header compiles alone as C99" compiles '#include <zelf.h>'
  promise "the header compiles twice in one file" compiles '#include <zelf.h>' '#include <zelf.h>'
  promise "the test of panics calls every function of the header" panics_are_everywhere
  promise "every status in the header has its name and a meaning in the library" every_status_has_its_name
  promise "an ignored session draws a warning" warns_of 'zelf_session_create(0, 0, 0)'
  promise "an ignored call draws a warning" warns_of 'zelf_session_create_async(0, 0, 0, 0, 0, 0)'
  promise "an ignored status of an identifier draws a warning" warns_of 'zelf_identifier_random(0, 0)'
  promise "an ignored status of a shutdown draws no warning" ignores 'zelf_client_shutdown(0, 0)'
  promise "every function that returns an object to free warns if it is ignored" every_object_has_to_be_used
  promise "the first sentence of each function's comment has fewer than 15 words" first_sentences_are_short
  promise "parameters, returns and errors of each comment are in this order" parts_are_in_order
  promise "no comment repeats the rule about NULL" the_rule_of_null_stands_once
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
