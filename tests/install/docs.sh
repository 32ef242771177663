# Sourced by test-installation: tests the reference site.
if has doxygen; then
  promise "make docs builds the site without a warning" sh -c "
    said=\$(make -s docs 2>&1) && [ -z \"\$said\" ] || { echo \"\$said\"; exit 1; }"
  site=target/docs
  promise "the site describes every function" sh -c "
    for name in \$(packaging/names); do
      grep -q \"class=\\\"memtitle\\\">.*</span>\$name()</h2>\" $site/group__*.html || { echo \$name; exit 1; }
    done"
  promise "the site describes every status" sh -c "
    for name in \$(sed -n 's/^#define \(ZELF_ERROR_[A-Z_]*\) .*/\1/p' include/zelf.h); do
      grep -q \"</span>\$name</h2>\" $site/group__*.html || { echo \$name; exit 1; }
    done"
  promise "the site has the rules, the guide, the errors and the ABI" sh -c "
    grep -q '^Ownership</h1>' $site/rules.html && grep -q 'zelf_request_set_repeatable' $site/guide.html &&
    grep -q 'ZELF_ERROR_GHOST_SESSION' $site/errors.html && grep -q 'SONAME' $site/abi.html"
  promise "the site has every example" sh -c "
    for file in examples-c/*.c; do
      grep -q \"\$(basename \$file)\" $site/examples.html && [ -f $site/example_\$(basename \$file .c).html ] || exit 1
    done"
  promise "no link of the site leads nowhere" sh -c "
    cd $site && grep -oh 'href=\"[^\"]*\"' *.html | sort -u | sed 's/^href=\"//; s/\"\$//' >links &&
    [ -s links ] && while IFS= read -r link; do
      file=\${link%%#*} && case \$link in
        http*://?* | javascript:* | '#'*) continue ;;
        *'#'*) grep -q \"\\(id\\|name\\)=\\\"\${link#*#}\\\"\" \"\$file\" || { echo \$link; exit 1; } ;;
        *) [ -f \"\$file\" ] || { echo \$link; exit 1; } ;;
      esac
    done <links"
  promise "make docs fails when a function has no comment" sh -c "
    rm -rf $out/silent && mkdir -p $out/silent && cp -r packaging include docs examples-c $out/silent &&
    printf '%s\n' '/^\/\* ---- Errors/a\' '\' 'ZELF_API int zelf_silent(void);' >$out/silent.sed &&
    sed -i -f $out/silent.sed $out/silent/include/zelf.h && ! $out/silent/packaging/docs/build 2>$out/said &&
    grep -q 'zelf_silent.* is not documented' $out/said"
else
  skip "the reference site (doxygen)"
fi
