# Sourced by test-installation: programs built with CMake, against an installed tree and
# against this one.
if has cmake && has "$cxx"; then
  # A CMake package finds its tree by its place.
  promise "an installed tree can be moved" sh -c "mv $prefix $prefix-moved"
  promise "find_package(zelf) gives zelf::zelf and zelf::static" sh -c "
    cmake -S tests/install -B $out/cmake -DCMAKE_PREFIX_PATH=$prefix-moved && cmake --build $out/cmake"
  for app in c_shared cpp_shared c_static cpp_static; do consumer "$app of find_package" "$out/cmake/$app"; done
  promise "find_package refuses a version that is too old" sh -c "
    printf 'cmake_minimum_required(VERSION 3.18)\nproject(x C)\nfind_package(zelf 0.99 CONFIG REQUIRED)\n' \
      >$out/CMakeLists.txt
    ! cmake -S $out -B $out/refused -DCMAKE_PREFIX_PATH=$prefix-moved"
  # consume NAME OPTION...: configures with these options, and builds c_shared
  consume() {
    folder=$out/cmake-$1; shift
    cmake -S tests/install -B "$folder" "$@" && cmake --build "$folder" --target c_shared
  }
  make -s install PREFIX="$out/split/out" LIBDIR="$out/split/out/lib" INCLUDEDIR="$out/split/dev/include" >"$out/log"
  promise "find_package works with the headers under another prefix" \
    consume split -DCMAKE_PREFIX_PATH="$out/split/out"
  make -s install PREFIX=/usr DESTDIR="$out/merged" && ln -s usr/lib "$out/merged/lib"
  promise "find_package works through /lib, where that is a link to /usr/lib" \
    consume merged -Dzelf_DIR="$out/merged/lib/cmake/zelf"
  mkdir -p "$out/later" && cp -r packaging include LICENSE-* "$out/later" &&
    sed 's/^\(#define ZELF_VERSION \).*/\1"1.0.0"/' include/zelf.h >"$out/later/include/zelf.h"
  env BUILT="$PWD/target/release/libzelf.so" ARCHIVE="$PWD/target/package/libzelf.a" \
    LICENCES="$PWD/target/package/licences" PREFIX="$out/later/prefix" "$out/later/packaging/install" >"$out/log"
  promise "find_package takes version 1.0 of the same SONAME for $version" \
    consume later -DCMAKE_PREFIX_PATH="$out/later/prefix" -DZELF_WANTED="$version"
  promise "find_package refuses it for a version before this SONAME" sh -c "
    ! cmake -S tests/install -B $out/cmake-before -DCMAKE_PREFIX_PATH=$out/later/prefix -DZELF_WANTED=0.0.1"
  mkdir -p "$out/pointers"
  printf '%s\n' 'cmake_minimum_required(VERSION 3.18)' 'project(x C)' \
    'math(EXPR CMAKE_SIZEOF_VOID_P "12 - ${CMAKE_SIZEOF_VOID_P}")' 'find_package(zelf CONFIG REQUIRED)' \
    >"$out/pointers/CMakeLists.txt"
  promise "find_package refuses it for pointers of another size" sh -c "
    ! cmake -S $out/pointers -B $out/pointers/build -DCMAKE_PREFIX_PATH=$prefix-moved"
  mkdir -p "$out/speechless"
  printf 'cmake_minimum_required(VERSION 3.18)\nproject(x NONE)\nfind_package(zelf CONFIG REQUIRED)\n' \
    >"$out/speechless/CMakeLists.txt"
  promise "find_package works in a project without C and C++" \
    cmake -S "$out/speechless" -B "$out/speechless/build" -DCMAKE_PREFIX_PATH="$prefix-moved"
  promise "add_subdirectory(libzelf) builds programs" sh -c "
    cmake -S tests/install -B $out/subdirectory -DZELF_SOURCE=$PWD && cmake --build $out/subdirectory"
  for app in c_shared cpp_static; do consumer "$app of add_subdirectory" "$out/subdirectory/$app"; done
  promise "FetchContent of libzelf builds a program" consume fetched -DZELF_FETCHED="$PWD"
  consumer "c_shared of FetchContent" "$out/cmake-fetched/c_shared"
  printf 'set(CMAKE_SYSTEM_NAME Linux)\nset(CMAKE_SYSTEM_PROCESSOR another)\n' >"$out/another.cmake"
  promise "add_subdirectory refuses to build for another machine" sh -c "
    ! cmake -S tests/install -B $out/cmake-another -DZELF_SOURCE=$PWD \
      -DCMAKE_TOOLCHAIN_FILE=$out/another.cmake 2>$out/refusal && grep 'cargo build --release' $out/refusal"
  mv "$prefix-moved" "$prefix"
else
  skip "programs built with CMake"
fi
