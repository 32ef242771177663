# Sourced by test-installation: tests make lib.
promise "packaging/names works with a CDPATH" sh -c "
  mkdir -p $out/elsewhere/packaging && CDPATH=$out/elsewhere packaging/names | diff - $out/names &&
  CDPATH=$PWD packaging/names | diff - $out/names"
if [ "$(uname -s)" = Linux ]; then
  program "$out/linker" <<EOF
#!/bin/sh
echo "\$@" >$out/linked
exec $cc "\$@"
EOF
  mkdir "$out/linking" && cp -p target/release/libzelf.a "$out/linking"
  promise "CC links the shared library, with its options" sh -c "
    CC='$out/linker -pipe' packaging/shared $out/linking -Wl,--strip-debug && grep -q '^-pipe ' $out/linked"
  promise "packaging/shared gives the same library each time" cmp "$out/linking/libzelf.so" target/release/libzelf.so
  promise "a shared library that has not changed keeps its date" sh -c "
    [ -z \"\$(find target/release/libzelf.so -newer target/release/libzelf.a)\" ]"
fi
# A cargo that is configured for a target builds into a folder of that target.
program "$out/cargo" <<EOF
#!/bin/sh
env >$out/cargo-saw
folder=$out/built/$host/release
mkdir -p \$folder; echo new >\$folder/libzelf.so; echo new >\$folder/libzelf.a
echo '{"reason":"compiler-artifact","filenames":["'\$folder/libzelf.so'","'\$folder/libzelf.a'"]}'
EOF
mkdir -p "$out/built/release"; echo old >"$out/built/release/libzelf.so"
promise "make lib takes no older library when cargo builds into another folder" sh -c "
  CARGO_BUILD_TARGET=other CARGO=$out/cargo packaging/compile $out/built &&
  grep -q new $out/built/release/libzelf.so && ! grep CARGO_BUILD_TARGET $out/cargo-saw"
if [ "$(uname -s)" = Linux ]; then
  promise "make install refuses a library whose symbols have no version" sh -c "
    echo 'int zelf_version(void); int zelf_version(void) { return 0; }' | $cc -xc -shared -fPIC - -o $out/unnamed.so &&
    ! BUILT=$out/unnamed.so PREFIX=$out/unnamed packaging/install"
fi
