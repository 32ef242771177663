# Sourced by test-installation: tests the archive of make dist.
program "$out/cargo" <<EOF
#!/bin/sh
echo "\$SOURCE_DATE_EPOCH" >$out/date; exit 1
EOF
dated() { # dated DATE FOLDER: succeeds if make dist in FOLDER gives this date to the files
  ! env -u SOURCE_DATE_EPOCH CARGO="$out/cargo" "$2/packaging/dist" && [ "$(cat "$out/date")" = "$1" ]
}
promise "make dist gives its archive the date of the commit" dated "$(git log -1 --format=%ct 2>/dev/null || echo 0)" .
mkdir -p "$out/unpacked" && cp -r packaging include "$out/unpacked"
promise "make dist ignores the date of a repository around it" dated 0 "$out/unpacked"
packs_the_same_elsewhere() {
  # Simulates a new machine: paths with spaces, a cargo that has unpacked nothing and is configured
  # for a target, other flags, another umask.
  there="$out/somewhere else" cargo_home=${CARGO_HOME:-$HOME/.cargo}
  mkdir -p "$there/.cargo" "$there/cargo home/registry"
  for kind in cache index; do ln -s "$cargo_home/registry/$kind" "$there/cargo home/registry"; done
  for file in config.toml config; do
    [ ! -f "$cargo_home/$file" ] || cp "$cargo_home/$file" "$there/cargo home"
  done
  git ls-files | tar cf - -T - | tar xf - -C "$there"
  printf '[build]\ntarget = "%s"\n' "$host" >"$there/.cargo/config.toml"
  chmod -R go= "$there"
  promise "make dist packs an archive in another folder, with another set-up" env -u CARGO_TARGET_DIR \
    CARGO_HOME="$there/cargo home" RUSTFLAGS="--cfg other" \
    sh -c 'umask 077 && exec "$0"' "$there/packaging/dist"
  promise "both archives are the same, byte for byte" \
    sh -c "grep -e '-$host\.tar' -e '-$host-debug\.tar' target/dist/SHA256SUMS | diff - '$there/target/dist/SHA256SUMS'"
  rm -rf "$there"
}
if [ "${REQUIRE_ALL:-0}" = 1 ]; then
  export SOURCE_DATE_EPOCH=1700000000
  promise "make dist packs an archive" packaging/dist
  promise "the archive has the licence of everything in it" sh -c "
    tar xzf target/dist/zelf-$version-$host.tar.gz -C $out &&
    for crate in rustls ring tokio httparse serde_json; do
      ls $out/zelf-$version-*/licences | grep -q \"^\$crate-\" || exit 1; done &&
    [ -f $out/zelf-$version-*/LICENSE-MIT ]"
  promise "the archive has modes that do not depend on who made it" sh -c "
    ! tar tvzf target/dist/zelf-$version-$host.tar.gz | grep -vE '^(drwxr-xr-x|-rw-r--r--|-rwxr-xr-x|l)'"
  promise "the archive has a stripped library, and a debugger finds its symbols" sh -c "
    ! readelf -S $out/zelf-$version-*/lib/libzelf.so | grep -F .symtab &&
    readelf -S $out/zelf-$version-*/lib/libzelf.so | grep -q gnu_debuglink &&
    tar tzf target/dist/zelf-$version-$host-debug.tar.gz | grep -q libzelf.so.$version.debug"
  promise "the archive has no path of the machine that made it" sh -c "
    ! strings $out/zelf-$version-*/lib/libzelf.so | grep -F -e \"\$HOME/\" -e '$PWD'"
  [ "${LONG:-0}" = 0 ] || packs_the_same_elsewhere
  prefix=$(echo "$out"/zelf-"$version"-*)
  promise "a program is built with the unpacked archive, wherever that is" sh -c "
    export PKG_CONFIG_PATH=$prefix/lib/pkgconfig &&
    $cc -std=c99 $strict tests/install/app.c \$(pkg-config --cflags --libs zelf) -o $out/app-unpacked"
  consumer "the program with the unpacked archive" "$out/app-unpacked"
else
  echo "not run - make dist (a build of two minutes)"
fi
