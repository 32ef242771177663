# Sourced by test-installation: tests the README's section on installation. Uses LD_LIBRARY_PATH
# instead of ldconfig, so that the loader's cache is not changed.
promise "the README's commands install the library and build programs" sh -c "
  sed -n '/^## Installing/,/^## /p' README.md | sed -n 's/^    //p' |
    sed 's|/usr/local|$out/readme|g; s|^sudo ldconfig|true|; s|sudo ||; s|app\.c|tests/install/app.c|g
      /variable=archive/s| -o app\$| -o $out/app-carries|; s| -o app\$| -o $out/app-readme|' \
    >$out/readme.sh && grep -q 'make install' $out/readme.sh && grep -q '^true' $out/readme.sh &&
  PKG_CONFIG_PATH=$out/readme/lib/pkgconfig sh -eux $out/readme.sh"
prefix=$out/readme
consumer "the README's program" "$out/app-readme"
consumer "the README's program that carries the library" "$out/app-carries"
