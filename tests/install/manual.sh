# Sourced by test-installation: the manual pages.
promise "every function has a manual page" sh -c "
  for name in \$(packaging/names); do [ -s $prefix/share/man/man3/\$name.3 ] || exit 1; done"
if has groff; then
  promise "groff reads every manual page without a warning" sh -c "
    [ -z \"\$(groff -man -Tutf8 -ww -z $prefix/share/man/man3/*.3 2>&1)\" ]"
else
  skip "the manual pages (groff)"
fi
says_all() { # says_all FUNCTION: that its page has the text of its comment
  awk -v name=" $1(" '/^\/\*\*/ { said = "" } /^ \* ./ { said = said substr($0, 4) "\n" }
    /^ZELF_API/ && index($0, name) { printf "%s", said }' include/zelf.h >"$out/said"
  [ -s "$out/said" ] &&
    sed '1,/^\.SH DESCRIPTION/d; /^\./d; s/\\-/-/g' "$prefix/share/man/man3/$1.3" | diff "$out/said" -
}
promise "a page says all that the header says of its function" says_all zelf_call_cancel
promise "packaging/names fails when it finds no function" sh -c "
  mkdir -p $out/empty/include && cp -r packaging $out/empty && echo >$out/empty/include/zelf.h &&
  ! $out/empty/packaging/names"
