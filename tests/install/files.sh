# Sourced by test-installation: tests which files make install installs, and that make uninstall
# removes them.
promise "the shared library is installed under its three names" sh -c "
  [ \$(readlink $prefix/lib/libzelf.so) = libzelf.so.0 ] &&
  [ \$(readlink $prefix/lib/libzelf.so.0) = libzelf.so.$version ]"
promise "valgrind's suppressions are installed" cmp packaging/zelf.supp "$prefix/share/zelf/zelf.supp"
promise "make install puts DESTDIR before everything, and honours LIBDIR" sh -c "
  make -s install PREFIX=/usr LIBDIR=/usr/lib/x86_64-linux-gnu DESTDIR=$out/staged &&
  [ -f $out/staged/usr/lib/x86_64-linux-gnu/libzelf.so.$version ] &&
  [ -f $out/staged/usr/include/zelf.h ] && [ ! -e $out/staged/usr/lib/libzelf.so ] &&
  grep -q '^libdir=\${prefix}/lib/x86_64-linux-gnu' $out/staged/usr/lib/x86_64-linux-gnu/pkgconfig/zelf.pc"
promise "make uninstall takes all of it away, and needs no compiler" sh -c "
  make -s uninstall PREFIX=/usr LIBDIR=/usr/lib/x86_64-linux-gnu DESTDIR=$out/staged CC=false &&
  [ -z \"\$(find $out/staged ! -type d)\" ]"
promise "make uninstall leaves what others have put beside it" sh -c "
  make -s install PREFIX=/usr DESTDIR=$out/shared &&
  for folder in lib/cmake/zelf include/zelf share/doc/zelf share/doc/zelf/licences share/zelf; do
    echo >$out/shared/usr/\$folder/theirs || exit 1
  done
  make -s uninstall PREFIX=/usr DESTDIR=$out/shared &&
  [ \$(find $out/shared ! -type d | grep -c /theirs\$) = 5 ] && [ \$(find $out/shared ! -type d | wc -l) = 5 ]"
promise "make install honours the GNU names of its variables" sh -c "
  make -s install prefix=/p libdir=/l includedir=/i mandir=/m docdir=/d DESTDIR=$out/gnu &&
  cd $out/gnu && ls l/libzelf.so i/zelf.h m/man3/zelf_version.3 m/man7/zelf.7 d/LICENSE-MIT d/guide.md &&
  grep -x 'prefix=/p' l/pkgconfig/zelf.pc && [ \"\$(ls | tr -d '\n')\" = dilmp ]"
promise "make install refuses a path that does not begin at /" sh -c "
  for name in PREFIX LIBDIR INCLUDEDIR MANDIR DOCDIR; do
    ! make -s install PREFIX=$out/whole \$name=target/install/half &&
    ! make -s uninstall PREFIX=$out/whole \$name=target/install/half || exit 1
  done; [ ! -e $out/whole ] && [ ! -e $out/half ]"
promise "a prefix may have a space, & and | in it" make -s install PREFIX="$odd"
promise "make install refuses a prefix that a .pc file cannot say" sh -c "
  ! make -s install PREFIX='$out/back\\slash' && [ ! -e '$out/back\\slash' ]"
mkdir -p "$out/knows" "$out/knows-not"
printf '#!/bin/sh\nprintf "\\tlibzelf.so.0 (libc6) => /lib/libzelf.so.0\\n"\n' | program "$out/knows/ldconfig"
printf '#!/bin/sh\n' | program "$out/knows-not/ldconfig"
promise "make install mentions ldconfig when the loader does not know the library, and only then" sh -c "
  PATH=$out/knows-not:\$PATH make -s install PREFIX=$out/told | grep -q 'libzelf.so.0.*ldconfig' &&
  [ -z \"\$(PATH=$out/knows:\$PATH make -s install PREFIX=$out/told)\" ] &&
  [ -z \"\$(PATH=$out/knows-not:\$PATH make -s install PREFIX=$out/told DESTDIR=$out/staged)\" ]"
