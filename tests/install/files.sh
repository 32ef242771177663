# Sourced by test-installation: where make install puts what, and what make uninstall
# takes away.
promise "the shared library has its names" sh -c "
  [ \$(readlink $prefix/lib/libzelf.so) = libzelf.so.0 ] &&
  [ \$(readlink $prefix/lib/libzelf.so.0) = libzelf.so.$version ]"
promise "valgrind's suppressions are installed" cmp packaging/zelf.supp "$prefix/share/zelf/zelf.supp"
promise "DESTDIR stands before everything, and other folders are taken" sh -c "
  make -s install PREFIX=/usr LIBDIR=/usr/lib/x86_64-linux-gnu DESTDIR=$out/staged &&
  [ -f $out/staged/usr/lib/x86_64-linux-gnu/libzelf.so.$version ] &&
  [ -f $out/staged/usr/include/zelf.h ] && [ ! -e $out/staged/usr/lib/libzelf.so ] &&
  grep -q '^libdir=\${prefix}/lib/x86_64-linux-gnu' $out/staged/usr/lib/x86_64-linux-gnu/pkgconfig/zelf.pc"
promise "make uninstall takes all of it away, without a compiler too" sh -c "
  make -s uninstall PREFIX=/usr LIBDIR=/usr/lib/x86_64-linux-gnu DESTDIR=$out/staged CC=false &&
  [ -z \"\$(find $out/staged ! -type d)\" ]"
promise "and nothing that others have put beside it" sh -c "
  make -s install PREFIX=/usr DESTDIR=$out/shared &&
  for folder in lib/cmake/zelf include/zelf share/doc/zelf share/doc/zelf/licences share/zelf; do
    echo >$out/shared/usr/\$folder/theirs || exit 1
  done
  make -s uninstall PREFIX=/usr DESTDIR=$out/shared &&
  [ \$(find $out/shared ! -type d | grep -c /theirs\$) = 5 ] && [ \$(find $out/shared ! -type d | wc -l) = 5 ]"
promise "the names that GNU has for them are taken as well" sh -c "
  make -s install prefix=/p libdir=/l includedir=/i mandir=/m docdir=/d DESTDIR=$out/gnu &&
  cd $out/gnu && ls l/libzelf.so i/zelf.h m/man3/zelf_version.3 d/LICENSE-MIT &&
  grep -x 'prefix=/p' l/pkgconfig/zelf.pc && [ \"\$(ls | tr -d '\n')\" = dilmp ]"
promise "a path that does not begin at / is refused" sh -c "
  for name in PREFIX LIBDIR INCLUDEDIR MANDIR DOCDIR; do
    ! make -s install PREFIX=$out/whole \$name=target/install/half &&
    ! make -s uninstall PREFIX=$out/whole \$name=target/install/half || exit 1
  done; [ ! -e $out/whole ] && [ ! -e $out/half ]"
promise "a prefix may have a space, & and | in it" make -s install PREFIX="$odd"
promise "and one that a .pc file cannot say is refused" sh -c "
  ! make -s install PREFIX='$out/back\\slash' && [ ! -e '$out/back\\slash' ]"
mkdir -p "$out/knows" "$out/knows-not"
printf '#!/bin/sh\nprintf "\\tlibzelf.so.0 (libc6) => /lib/libzelf.so.0\\n"\n' | program "$out/knows/ldconfig"
printf '#!/bin/sh\n' | program "$out/knows-not/ldconfig"
promise "make install says when the loader has to be told, and only then" sh -c "
  PATH=$out/knows-not:\$PATH make -s install PREFIX=$out/told | grep -q 'libzelf.so.0.*ldconfig' &&
  [ -z \"\$(PATH=$out/knows:\$PATH make -s install PREFIX=$out/told)\" ] &&
  [ -z \"\$(PATH=$out/knows-not:\$PATH make -s install PREFIX=$out/told DESTDIR=$out/staged)\" ]"
