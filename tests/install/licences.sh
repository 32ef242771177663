# Sourced by test-installation: tests that all licences of the library are installed.
promise "make install brings the licences of the library and of every crate" sh -c "
  cd $prefix/share/doc/zelf && cmp LICENSE-MIT $PWD/LICENSE-MIT && cmp LICENSE-APACHE $PWD/LICENSE-APACHE &&
  diff -r licences $PWD/target/package/licences && [ -s licences/ring-*/third_party/fiat/LICENSE ] &&
  for crate in rustls ring tokio httparse serde_json; do ls licences | grep -q \"^\$crate-\" || exit 1; done"
# cargo vendor makes folders without a version in their names.
promise "the licences are found in vendored crates" sh -c "
  mkdir -p $out/vendor && cp -r \$(sed -n 's/^ring@[^ ]* //p' target/release/crates) $out/vendor/ring &&
  sed 's|^\(ring@[^ ]*\) .*|\1 $out/vendor/ring|' target/release/crates >$out/crates &&
  packaging/licences $out/licences $out/crates && diff -r $out/licences target/package/licences"
program "$out/rustc" <<EOF
#!/bin/sh
[ "\$*" != "--print sysroot" ] || { echo $out/sysroot; exit; }
exec ${RUSTC:-rustc} "\$@"
EOF
promise "a toolchain without the standard library's licences gives a warning" sh -c "
  RUSTC=$out/rustc packaging/licences $out/licences-without $out/crates 2>&1 | grep -q 'standard library' &&
  grep -q 'standard library.*come with the Rust' $out/licences-without/SUMMARY && [ ! -e $out/licences-without/rust ]"
