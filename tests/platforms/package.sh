# Sourced by test-platforms: the release archive of a target, unpacked.

# package TARGET: makes the archive, and unpacks it. Sets $package, the folder with its files.
package() {
  package=$out/package
  archive=$(sed -n 's/^#define ZELF_VERSION "\(.*\)"/zelf-\1/p' include/zelf.h)-$1
  # The names of archives for an old glibc have its version: packaging/dist.
  case $1 in *-linux-gnu) archive=$archive-glibc$oldest_glibc ;; esac
  archive=$archive.tar.gz
  archives=${ZELF_ARCHIVES:-target/dist}
  rm -rf "$package"; mkdir -p "$package"
  [ -n "${ZELF_ARCHIVES:-}" ] ||
    promise "$platform: make dist TARGET=$1 makes an archive" make -s dist TARGET="$1" || return
  promise "$platform: $archive can be unpacked" \
    tar -xzf "$archives/$archive" -C "$package" --strip-components=1
}
