# Sourced by test-installation: tests what make lib and make dist say for a target that they cannot
# build for. tests/platforms builds for other targets.
bare=$out/bare
mkdir -p "$bare/bin" "$bare/std" "$bare/sysroot/lib"
for tool in sh awk cat cp cut dirname env find grep head mkdir mktemp rm sed sort tail tr uname; do
  ln -sf "$(command -v $tool)" "$bare/bin/$tool"
done
: >"$bare/std/libstd-0.rlib"
# A compiler whose standard library is in the folder $STD, without its source.
program "$bare/bin/rustc" <<EOF
#!/bin/sh
case "\$*" in
  -vV) echo "host: $host" ;;
  *'print sysroot'*) echo $bare/sysroot ;;
  *target-libdir*nothing*) exit 1 ;;
  *target-libdir*) echo "\${STD:-$bare/std}" ;;
esac
EOF
# says WORDS SETTING... TARGET: packaging/build fails for the target, and says these words.
says() {
  words=$1; shift
  for target; do :; done
  settings=
  # A setting has no spaces.
  while [ $# -gt 1 ]; do settings="$settings $1"; shift; done
  ! env -i PATH="$bare/bin" HOME="$HOME" $settings packaging/build --target "$target" >"$bare/said" 2>&1 &&
    grep -F -e "$words" "$bare/said"
}
promise "an unknown kind of target is refused" \
  says 'cargo build --release --target x86_64-unknown-haiku' x86_64-unknown-haiku
promise "a target that rustc does not know is refused" says 'rustc --print target-list' nothing-unknown-linux-gnu
promise "a folder is no target" says 'is not the name of a target' ../linux-gnu
promise "a missing standard library is named, with the command that adds it" \
  says 'rustup target add aarch64-unknown-linux-musl' STD="$bare/none" aarch64-unknown-linux-musl
promise "a missing linker is named, with the packages that have one" \
  says 'aarch64-linux-musl-gcc, or set ZELF_CC' aarch64-unknown-linux-musl
promise "a version of glibc is refused without zig, because no other compiler links for it" \
  says 'ZELF_GLIBC=2.17 needs zig' ZELF_GLIBC=2.17 ZELF_CC="${cc%% *}" PATH="$PATH" RUSTC="$bare/bin/rustc" \
  aarch64-unknown-linux-gnu
promise "a missing compiler for Windows is named" says 'install MinGW-w64' x86_64-pc-windows-gnu
promise "a missing NDK is named" says 'set ANDROID_NDK_HOME' aarch64-linux-android
promise "missing headers for Apple's systems are named" says 'set SDKROOT' aarch64-apple-ios
promise "an archive for others with the names of Rust is refused" sh -c "
  : >$bare/built.a; ! env -i PATH=$bare/bin ZELF_TARGET=aarch64-apple-ios BUILT_ARCHIVE=$bare/built.a \
    packaging/archive $bare/libzelf.a 2>$bare/said && grep 'cannot be made private' $bare/said && [ ! -e $bare/libzelf.a ]"
promise "make xcframework refuses what is no target of Apple's" sh -c "
  ! packaging/xcframework $host 2>$bare/said && grep 'is no target of Apple' $bare/said"
promise "make takes a target from its command line, and no TARGET of the environment" sh -c "
  show='show:; @echo \"[\$\$ZELF_TARGET]\"'
  [ \"\$(echo \"\$show\" | TARGET=other make -s -f Makefile -f - show)\" = '[]' ] &&
  [ \"\$(echo \"\$show\" | make -s -f Makefile -f - show TARGET=other)\" = '[other]' ]"
promise "the files for Windows are the DLL, in the folder of programs, and its import library" sh -c "
  ZELF_TARGET=x86_64-pc-windows-gnu PREFIX=/p packaging/install --list >$bare/files &&
  grep -x /p/bin/zelf.dll $bare/files && grep -x /p/lib/libzelf.dll.a $bare/files && ! grep -e man3 -e '\.so' $bare/files"
promise "the files for Android have one name of the library, without a number" sh -c "
  ZELF_TARGET=aarch64-linux-android PREFIX=/p packaging/install --list >$bare/files &&
  [ \$(grep -c '\.so' $bare/files) = 1 ] && grep -x /p/lib/libzelf.so $bare/files"
# The packages of bindings take a target's library only if ZELF_TARGET names it.
packages=$bare/packages
mkdir -p "$packages/bindings" "$packages/target/package/licences" "$packages/hatchling/builders/hooks/plugin"
cp -r bindings/python bindings/node "$packages/bindings"
for folder in release "$(uname -m)-unknown-linux-gnu/release" s390-unknown-linux-gnu/release; do
  mkdir -p "$packages/target/$folder"
  : >"$packages/target/$folder/libzelf.so"
done
: >"$packages/LICENSE-MIT"
mkdir -p "$packages/target/$(uname -m)-unknown-linux-gnu/package/licences"
echo 'class BuildHookInterface: root = "bindings/python"' >"$packages/hatchling/builders/hooks/plugin/interface.py"
# This make only prints its arguments.
printf '#!/bin/sh\necho "$@"; exit 1\n' | program "$packages/make"
wheel_has() { # wheel_has FILE [SETTING]
  (cd "$packages" && env -u ZELF_PREFIX -u ZELF_TARGET $2 PYTHONPATH=bindings/python:. python3 -c '
import hatch_build
print(hatch_build.CustomBuildHook().find()[0])' | grep "$packages/target/$1\$")
}
node_asks_for() { # node_asks_for TARGET [SETTING]
  env -u ZELF_PREFIX -u ZELF_TARGET $2 PATH="$packages:$PATH" node "$packages/bindings/node/prepack.mjs" 2>&1 | grep "TARGET=$1\$"
}
if [ "$(uname -s)" = Linux ] && has python3; then
  promise "the wheel takes what make lib has built" wheel_has release/libzelf.so ""
  promise "the wheel takes the library for the target in ZELF_TARGET" \
    wheel_has "$(uname -m)-unknown-linux-gnu/release/libzelf.so" "ZELF_TARGET=$(uname -m)-unknown-linux-gnu"
  promise "the wheel refuses the library for another machine" sh -c "
    cd $packages && ! ZELF_PREFIX= ZELF_TARGET=s390-unknown-linux-gnu PYTHONPATH=bindings/python:. python3 -c '
import hatch_build
hatch_build.CustomBuildHook().find()' 2>$bare/said && grep 'ZELF_TARGET is s390-unknown' $bare/said"
else
  skip "the library in the wheel (Linux, python3)"
fi
if [ "$(uname -s)" = Linux ] && has node; then
  promise "the npm package takes what make lib has built" node_asks_for "" ""
  promise "the npm package takes the library for the target in ZELF_TARGET" \
    node_asks_for "$(uname -m)-unknown-linux-gnu" "ZELF_TARGET=$(uname -m)-unknown-linux-gnu"
  promise "the npm package refuses the library for another machine" sh -c "
    ! ZELF_PREFIX= ZELF_TARGET=s390-unknown-linux-gnu node $packages/bindings/node/prepack.mjs 2>$bare/said &&
    grep 'ZELF_TARGET is s390-unknown' $bare/said"
else
  skip "the library in the npm package (Linux, node)"
fi
promise "a program finds the library for macOS where it was built, by its install name" sh -c "
  : >$bare/libzelf.dylib && ZELF_TARGET=aarch64-apple-darwin packaging/shared $bare && [ -f $bare/libzelf.0.dylib ]"
if has cmake; then
  # named TARGET SYSTEM PROCESSOR [LINE...]: CMake's toolchain file of this system, with these lines,
  # makes make build TARGET.
  named() {
    target=$1
    printf 'set(CMAKE_SYSTEM_NAME %s)\nset(CMAKE_SYSTEM_PROCESSOR %s)\n' "$2" "$3" >"$bare/toolchain.cmake"
    shift 3; printf '%s\n' "$@" >>"$bare/toolchain.cmake"
    echo 'set(CMAKE_C_COMPILER_WORKS TRUE)' >>"$bare/toolchain.cmake"
    rm -rf "$bare/cmake"
    cmake -G 'Unix Makefiles' -S . -B "$bare/cmake" -DCMAKE_HAVE_LIBC_PTHREAD=1 \
      -DCMAKE_TOOLCHAIN_FILE="$bare/toolchain.cmake" &&
      grep -- "lib TARGET=$target\( \|\$\)" "$bare/cmake/CMakeFiles/zelf_build.dir/build.make"
  }
  promise "CMake names the target of a toolchain file for Linux" named aarch64-unknown-linux-gnu Linux arm64
  promise "CMake names the target of a toolchain file for Windows" named x86_64-pc-windows-gnu Windows AMD64
  promise "CMake names the API level of the NDK's legacy toolchain file" \
    named 'aarch64-linux-android ANDROID_NDK_HOME=/ndk ZELF_ANDROID_API=24' Android 1 \
    'set(CMAKE_SYSTEM_VERSION 1)' 'set(CMAKE_C_COMPILER_ID_RUN TRUE)' 'set(CMAKE_C_COMPILER_ID Clang)' \
    "set(CMAKE_C_COMPILER ${cc%% *})" 'set(CMAKE_C_COMPILER_FORCED TRUE)' 'set(ANDROID_PLATFORM_LEVEL 24)' \
    'set(CMAKE_ANDROID_NDK /ndk)' 'set(CMAKE_ANDROID_ARCH_ABI arm64-v8a)'
  mkdir -p "$bare/musl" && ln -sf "$(command -v "${cc%% *}")" "$bare/musl/cc"
  case $host in *-gnu)
    promise "a folder of the name musl is no musl" \
      named aarch64-unknown-linux-gnu Linux aarch64 "set(CMAKE_C_COMPILER $bare/musl/cc)" ;;
  esac
  if has clang; then
    for float in eabi eabihf; do
      promise "CMake names the target for ARM with the $float of the compiler" named armv7-unknown-linux-gnu$float Linux armv7l \
        'set(CMAKE_C_COMPILER clang)' "set(CMAKE_C_COMPILER_TARGET arm-linux-gnu$float)"
    done
  else
    skip "ARM with CMake (clang)"
  fi
  promise "CMake refuses two of Apple's processors at once" sh -c "
    printf 'set(CMAKE_SYSTEM_NAME Darwin)\nset(CMAKE_C_COMPILER_FORCED TRUE)\n' >$bare/toolchain.cmake
    rm -rf $bare/cmake; ! cmake -S . -B $bare/cmake -DCMAKE_TOOLCHAIN_FILE=$bare/toolchain.cmake \
      '-DCMAKE_OSX_ARCHITECTURES=arm64;x86_64' 2>$bare/said && grep 'one processor at a time' $bare/said"
  promise "CMake's compiler, its target and a sysroot with spaces go to make" sh -c "
    printf '%s\n' 'set(CMAKE_SYSTEM_NAME Linux)' 'set(CMAKE_SYSTEM_PROCESSOR aarch64)' 'set(CMAKE_C_COMPILER_WORKS TRUE)' \
      'set(CMAKE_C_COMPILER_ID Clang)' 'set(CMAKE_C_COMPILER_ID_RUN TRUE)' 'set(CMAKE_C_COMPILER_FORCED TRUE)' \
      'set(CMAKE_C_COMPILER ${cc%% *})' 'set(CMAKE_C_COMPILER_TARGET aarch64-linux-gnu)' \
      'set(CMAKE_SYSROOT \"$bare/a root\")' >$bare/toolchain.cmake
    rm -rf '$bare/in cmake'; cmake -G 'Unix Makefiles' -S . -B '$bare/in cmake' -DCMAKE_HAVE_LIBC_PTHREAD=1 -DCMAKE_TOOLCHAIN_FILE=$bare/toolchain.cmake &&
    grep -- '--target=aarch64-linux-gnu. .--sysroot=$bare/a root. ' '$bare/in cmake/zelf-cc' && [ -x '$bare/in cmake/zelf-cc' ] &&
    grep -F 'ZELF_CC=$bare/in cmake/zelf-cc' '$bare/in cmake/CMakeFiles/zelf_build.dir/build.make'"
  # A cargo that only writes down its target.
  program "$bare/cargo" <<EOF
#!/bin/sh
echo "[\$ZELF_TARGET]" >$bare/target; exit 1
EOF
  promise "the TARGET of a make around CMake's is not the library's" sh -c "
    rm -rf $bare/cmake && cmake -G 'Unix Makefiles' -S . -B $bare/cmake
    make -C $bare/cmake zelf_build TARGET=release CARGO=$bare/cargo; grep -x '\[\]' $bare/target"
fi
