# Sourced by test-installation: tests programs built with CMake, against an installed library and
# against this source tree.
if has cmake && has "$cxx"; then
  # A CMake package finds its files relative to itself.
  promise "an installed tree can be moved" sh -c "mv $prefix $prefix-moved"
  promise "find_package(zelf) gives zelf::zelf and zelf::static" sh -c "
    cmake -S tests/install -B $out/cmake -DCMAKE_PREFIX_PATH=$prefix-moved && cmake --build $out/cmake"
  for app in c_shared cpp_shared c_static cpp_static; do consumer "$app of find_package" "$out/cmake/$app"; done
  # consume NAME OPTION...: configures a project with these options, and builds c_shared
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
  promise "add_subdirectory(libzelf) builds programs" sh -c "
    cmake -S tests/install -B $out/subdirectory -DZELF_SOURCE=$PWD && cmake --build $out/subdirectory"
  for app in c_shared cpp_static; do consumer "$app of add_subdirectory" "$out/subdirectory/$app"; done
  promise "FetchContent of libzelf builds a program" consume fetched -DZELF_FETCHED="$PWD"
  consumer "c_shared of FetchContent" "$out/cmake-fetched/c_shared"
  printf 'set(CMAKE_SYSTEM_NAME Linux)\nset(CMAKE_SYSTEM_PROCESSOR another)\n' >"$out/another.cmake"
  promise "add_subdirectory refuses a machine that it has no name for" sh -c "
    ! cmake -S tests/install -B $out/cmake-another -DZELF_SOURCE=$PWD \
      -DCMAKE_TOOLCHAIN_FILE=$out/another.cmake 2>$out/refusal && grep 'Set ZELF_TARGET' $out/refusal"
  mv "$prefix-moved" "$prefix"
else
  skip "programs built with CMake"
fi
