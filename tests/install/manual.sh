# Sourced by test-installation: tests the manual pages.
promise "every function has a manual page" sh -c "
  for name in \$(packaging/names); do [ -s $prefix/share/man/man3/\$name.3 ] || exit 1; done"
promise "every function's page refers to zelf(7)" sh -c "
  ! grep -L '^\.BR zelf (7)' $prefix/share/man/man3/*.3 | grep ."
promise "a page refers to the functions that its text names" \
  grep -qx '\.BR zelf_client_dispatch (3),' "$prefix/share/man/man3/zelf_config_set_dispatch.3"
if has groff; then
  promise "groff reads every manual page without a warning" sh -c "
    [ -z \"\$(groff -man -Tutf8 -ww -z $prefix/share/man/man3/*.3 $prefix/share/man/man7/zelf.7 2>&1)\" ]"
else
  skip "the manual pages (groff)"
fi
says_all() { # says_all FUNCTION: succeeds if its page has the text of its comment
  awk -v name=" $1(" '/^\/\*\*/ { said = "" } /^ \* ./ { said = said substr($0, 4) "\n" }
    /^ZELF_API/ { declared = 1 } declared && index($0, name) { printf "%s", said }
    /;$/ { declared = 0 }' include/zelf.h >"$out/said"
  [ -s "$out/said" ] &&
    sed '1,/^\.SH DESCRIPTION/d; /^\./d; s/\\-/-/g' "$prefix/share/man/man3/$1.3" | diff "$out/said" -
}
promise "a page says all that the header says of its function" says_all zelf_call_cancel
# Prints the words of the header's top comment, without its last lines about the licence.
top_words() { sed -n '1d; /^ \* SPDX/q; s/^ \*//p' include/zelf.h | words; }
page_words() {
  sed '1,/^\.SH DESCRIPTION/d; /^\.SH/,$d; s/^\.SS \(.*\)/\1./; /^\./d; s/\\-/-/g; s/\\e/\\/g' \
    "$prefix/share/man/man7/zelf.7" | words
}
words() { tr -s ' .-' '\n\n\n' | grep .; }
says_the_rules() {
  top_words >"$out/top" && page_words >"$out/rules" && [ -s "$out/top" ] && diff "$out/top" "$out/rules"
}
promise "zelf(7) says all that the header says at its top" says_the_rules
for title in Ownership NULL Errors Threads Callbacks Signals Fork Exit Versions; do
  promise "zelf(7) has the section $title" grep -qx "\.SS $title" "$prefix/share/man/man7/zelf.7"
done
promise "zelf(7) lists every function" sh -c "
  for name in \$(packaging/names); do grep -q \"^\.BR \$name (3)\" $prefix/share/man/man7/zelf.7 || exit 1; done"
promise "packaging/names fails when it finds no function" sh -c "
  mkdir -p $out/empty/include && cp -r packaging $out/empty && echo >$out/empty/include/zelf.h &&
  ! $out/empty/packaging/names"
