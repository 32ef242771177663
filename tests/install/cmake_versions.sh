# Sourced by test-installation: tests which versions and components find_package accepts.
if has cmake; then
  # tree VERSION: installs the library in $out/tree-VERSION as if it had this version
  tree() {
    mkdir -p "$out/source-$1" && cp -r packaging include docs examples-c LICENSE-* "$out/source-$1" &&
      sed "s/^\(#define ZELF_VERSION \).*/\1\"$1\"/" include/zelf.h >"$out/source-$1/include/zelf.h" &&
      env BUILT="$PWD/target/release/libzelf.so" ARCHIVE="$PWD/target/package/libzelf.a" \
        LICENCES="$PWD/target/package/licences" PREFIX="$out/tree-$1" "$out/source-$1/packaging/install" >"$out/log"
  }
  # takes VERSION: checks whether find_package accepts the requests on standard input. Each line is
  # "yes" or "no", and a request.
  takes() {
    cat >"$out/table"
    sed 's/^[a-z]* *//' "$out/table" >"$out/wanted"
    sed -n 's/^yes *//p' "$out/table" >"$out/right"
    rm -rf "$out/versions"
    cmake -S tests/install/versions -B "$out/versions" -DWANTED="$out/wanted" -DCMAKE_PREFIX_PATH="$out/tree-$1" &&
      diff "$out/right" "$out/versions/taken"
  }
  # wants NAME LINE: writes a project to $out/NAME that finds the package with this request
  wants() {
    mkdir -p "$out/$1"
    printf 'cmake_minimum_required(VERSION 3.18)\nproject(x %s)\n%s\n' "${3:-C}" "$2" >"$out/$1/CMakeLists.txt"
  }
  configured() { cmake -S "$out/$1" -B "$out/$1/build" -DCMAKE_PREFIX_PATH="$out/tree-0.1.5"; }

  tree 0.1.5 && tree 1.2.0
  promise "a version stands for all later ones of the same SONAME, and EXACT for itself" takes 0.1.5 <<EOF
yes
yes 0.1
yes 0.1.0
yes 0.1.5
yes 0.1.5 EXACT
yes 0
no 0.0.9
no 0.1.6
no 0.2
no 1
no 0.1 EXACT
no 0.1.4 EXACT
no 0.1.5.1 EXACT
EOF
  promise "a range of versions is read to its end, included or excluded" takes 0.1.5 <<EOF
yes 0.1...<1.0
yes 0.1...1
yes 0.1...0.2
yes 0.1...<0.2
yes 0.1.5...0.1.5
yes 0.1...0.1.5
yes 0.1.5...<0.1.6
yes 0...<1
yes 0.0.1...0.2
no 0.1...<0.1.5
no 0.1...0.1.4
no 0.1.6...1
no 0.2...<1
no 0...0.1
no 1...<2
EOF
  promise "1.x has what 0.x had, and is in no range that ends before it" takes 1.2.0 <<EOF
yes 0.1
yes 0.9.1
yes 1
yes 1.2
yes 1.2 EXACT
yes 0.1...2
yes 0.1...1.2
yes 1...<2
yes 1.2...<1.3
no 0.0.9
no 1.3
no 2
no 1.2.1 EXACT
no 0.1 EXACT
no 0.1...<1
no 0.1...1
no 0.1...1.1
no 1...<1.2
no 1.3...2
EOF
  for words in "COMPONENTS wallet" "REQUIRED COMPONENTS wallet" "REQUIRED wallet" \
    "REQUIRED COMPONENTS wallet OPTIONAL_COMPONENTS purse"; do
    rm -rf "$out/component"
    wants component "find_package(zelf 0.1 CONFIG $words)
if(TARGET zelf::zelf OR zelf_FOUND)
  message(SEND_ERROR \"found\")
endif()"
    case $words in
      REQUIRED*)
        promise "find_package($words) is an error that names the component" sh -c "
          ! cmake -S $out/component -B $out/component/build -DCMAKE_PREFIX_PATH=$out/tree-0.1.5 2>$out/refusal &&
          tr -s ' \n' ' ' <$out/refusal | grep 'no components, but wallet' && ! grep 'found\$' $out/refusal" ;;
      *) promise "find_package($words) finds nothing" configured component ;;
    esac
  done
  wants optional "find_package(zelf CONFIG REQUIRED OPTIONAL_COMPONENTS wallet)
if(zelf_wallet_FOUND OR NOT TARGET zelf::zelf)
  message(FATAL_ERROR \"found\")
endif()"
  promise "a component that is optional is not found, and the package is" configured optional
  wants pointers 'math(EXPR CMAKE_SIZEOF_VOID_P "12 - ${CMAKE_SIZEOF_VOID_P}")
find_package(zelf CONFIG REQUIRED)'
  promise "find_package refuses it for pointers of another size" sh -c "
    ! cmake -S $out/pointers -B $out/pointers/build -DCMAKE_PREFIX_PATH=$out/tree-0.1.5"
  wants speechless 'find_package(zelf CONFIG REQUIRED)' NONE
  promise "find_package works in a project without C and C++" configured speechless
else
  skip "the versions that find_package takes"
fi
