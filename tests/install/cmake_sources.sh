# Sourced by test-installation: tests this repository as a part of a CMake project, and on its own.
if has cmake; then
  # between HOW OPTION...: builds and installs a library that links to libzelf, then a program that
  # links to that library and finds libzelf in $prefix
  between() {
    how=$1; shift
    cmake -S tests/install/middle -B "$out/middle-$how" -DCMAKE_INSTALL_LIBDIR=lib "$@" &&
      cmake --build "$out/middle-$how" &&
      cmake --install "$out/middle-$how" --prefix "$out/$how" &&
      cmake -S tests/install/outer -B "$out/outer-$how" -DCMAKE_PREFIX_PATH="$prefix;$out/$how" &&
      cmake --build "$out/outer-$how"
  }
  for how in found fetched added; do
    case $how in
      found) words="finds libzelf" option=-DCMAKE_PREFIX_PATH=$prefix ;;
      fetched) words="fetches libzelf" option=-DZELF_FETCHED=$PWD ;;
      added) words="has libzelf twice in its tree" option=-DZELF_ADDED=$PWD ;;
    esac
    promise "a library that $words is installed, and found by a program" between $how "$option"
    promise "its exported targets name zelf::zelf and zelf::static, and nothing of ours" sh -c "
      cat $out/$how/lib/cmake/middle/middleTargets.cmake $out/middle-$how/middleTargets.cmake |
        grep -o 'zelf::[a-z]*\|[^:]zelf_[a-z]*' | sort | uniq -c | awk '{ print \$2, \$1 }' >$out/named
      printf 'zelf::static 2\nzelf::zelf 4\n' | diff - $out/named"
    for kind in zelf static private; do
      promise "the program runs, with the library that links $kind" sh -c "
        $out/outer-$how/outer_$kind | grep -x '$version'"
    done
    if [ -d "$out/$how/runtime" ]; then
      promise "install(IMPORTED_RUNTIME_ARTIFACTS) takes what a program needs" sh -c "
        mkdir $out/$how/bin && cp $out/outer-$how/outer_zelf $out/$how/bin && mv $prefix $prefix-away
        LD_LIBRARY_PATH=$out/$how/runtime $out/$how/bin/outer_zelf | grep -x '$version'; status=\$?
        mv $prefix-away $prefix; exit \$status"
    fi
  done

  # listed FOLDER: lists its files with modes and contents. The .pc file contains the prefix.
  listed() {
    (cd "$1" && find . -printf '%y %m %p %l\n' | sort &&
      find . -type f -exec cksum {} + | sort -k 3 | grep -v 'zelf\.pc$')
  }
  same() { listed "$1" >"$out/listed-1" && listed "$2" >"$out/listed-2" && diff "$out/listed-1" "$out/listed-2"; }
  for generator in "Unix Makefiles" Ninja; do
    if [ "$generator" = Ninja ] && ! has ninja; then
      skip "the repository as a project of Ninja's (ninja)"
      continue
    fi
    top="$out/top-$generator"
    promise "as top project the repository is built ($generator)" sh -c "
      cmake -G '$generator' -S . -B '$top' -DCMAKE_INSTALL_LIBDIR=lib && cmake --build '$top'"
    rm -rf "$out/by-make" "$out/by-cmake" "$out/by-cmake-staged"
    make -s install PREFIX="$out/by-make" >"$out/log"
    promise "it installs the files that make install does ($generator)" sh -c "
      cmake --install '$top' --prefix $out/by-cmake"
    promise "they are the same ($generator)" same "$out/by-make" "$out/by-cmake"
    promise "CMake's manifest has each of them ($generator)" sh -c "
      find $out/by-cmake ! -type d | sort >$out/files
      { cat '$top/install_manifest.txt'; echo; } | grep . | sort | diff $out/files -"
  done
  promise "it honours CMake's folders and DESTDIR, and no variable of make's" sh -c "
    cmake -S . -B $out/top-folders -DCMAKE_INSTALL_PREFIX=/p -DCMAKE_INSTALL_LIBDIR=l/x -DCMAKE_INSTALL_INCLUDEDIR=/i \
      -DCMAKE_INSTALL_MANDIR=m -DCMAKE_INSTALL_DOCDIR=d && cmake --build $out/top-folders &&
    PREFIX=/q LIBDIR=/q DESTDIR=$out/folders-cmake PC_PREFIX=/r BUILT=/dev/null cmake --install $out/top-folders &&
    make -s install PREFIX=/p LIBDIR=/p/l/x INCLUDEDIR=/i MANDIR=/p/m DOCDIR=/p/d DESTDIR=$out/folders-make"
  promise "the files are there then" same "$out/folders-make" "$out/folders-cmake"
  promise "and so is the .pc file" cmp "$out/folders-make/p/l/x/pkgconfig/zelf.pc" "$out/folders-cmake/p/l/x/pkgconfig/zelf.pc"
  promise "a prefix may be relative to where cmake --install runs" sh -c "
    top=$out/top-folders; mkdir $out/here && cd $out/here && cmake --install \$top --prefix there &&
    grep -x 'prefix=$out/here/there' there/l/x/pkgconfig/zelf.pc"
  promise "a project around it installs it where ZELF_INSTALL says so, and else nothing of it" sh -c "
    ! find $out/fetched -name 'zelf*' | grep . &&
    cmake -S tests/install/middle -B $out/middle-whole -DZELF_FETCHED=$PWD -DZELF_INSTALL=ON -DCMAKE_INSTALL_LIBDIR=lib &&
    cmake --build $out/middle-whole && cmake --install $out/middle-whole --prefix $out/whole &&
    (cd $out/by-make && find . ! -type d) | (cd $out/whole && xargs ls) &&
    cmake -S tests/install/outer -B $out/outer-whole -DCMAKE_PREFIX_PATH=$out/whole && cmake --build $out/outer-whole"

  # A cargo that takes a job slot of make, and returns it.
  program "$out/job-cargo" <<EOF
#!/bin/sh
rm -f $out/job
echo "\$CARGO_BUILD_JOBS" >$out/jobs
job_server=\$(echo "\$MAKEFLAGS" | sed -n 's/.*--jobserver-auth=\([^ ]*\).*/\1/p')
case \$job_server in
  fifo:*) from=\${job_server#fifo:} to=\$from ;;
  *) from=/proc/self/fd/\${job_server%,*} to=/proc/self/fd/\${job_server#*,} ;;
esac
timeout 20 head -c 1 <\$from >$out/job && cat $out/job >\$to
exit 1
EOF
  took_a_job() { rm -f "$out/job"; CARGO=$out/job-cargo "$@" >"$out/log"; [ -s "$out/job" ]; }
  promise "make -j passes its job server on to cargo" took_a_job make -j3 lib
  promise "cmake --build -j passes make's job server on to cargo" took_a_job cmake --build "$out/top-Unix Makefiles" -j3
  promise "so it does from a project around" took_a_job cmake --build "$out/middle-fetched" -j3
  promise "make -n, -q and -t build nothing" sh -c "
    rm -f $out/jobs
    for flag in -n -q -t -sn; do CARGO=$out/job-cargo make \$flag lib; done; [ ! -e $out/jobs ]"
  if has ninja; then
    built_with() { rm -f "$out/jobs"; env CARGO="$out/job-cargo" "$2" cmake --build "$out/top-Ninja"; grep -x "$1" "$out/jobs"; }
    promise "CMAKE_BUILD_PARALLEL_LEVEL is the number of cargo's jobs" built_with 3 CMAKE_BUILD_PARALLEL_LEVEL=3
    promise "without it cargo decides" built_with '' CMAKE_BUILD_PARALLEL_LEVEL=
  fi
else
  skip "this repository as a project of CMake's"
fi
