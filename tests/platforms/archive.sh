# Sourced by test-platforms: a C program that is built from a release archive, with the shared and
# with the static library.

# pc VARIABLE: prints a line of the archive's pkg-config file.
pc() { sed -n "s/^$1: *//p" "$package/lib/pkgconfig/zelf.pc"; }

# archive_compiles TITLE PROGRAM COMMAND...: compiles archive.c. The command ends with the library.
archive_compiles() {
  archive_title=$1 archive_program=$2; shift 2
  rm -f "$archive_program"
  archive_compiler=$1; shift
  promise "$archive_title: a C program compiles as C99 without a warning" \
    $archive_compiler $strict -D_POSIX_C_SOURCE=200809L tests/platforms/archive.c "$@" \
    -o "$archive_program"
}

# archive_program TITLE PROGRAM EMULATOR: runs it.
archive_program() {
  archive_title=$1 archive_program=$2 archive_emulator=$3
  # The variables of the sandbox are set in run.
  sandbox_options= run "$archive_title" sh -c '"$@" "$ZELF_HTTPS" "$ZELF_CA" "$ZELF_OTHER_CA"' sh \
    $archive_emulator "$archive_program"
  for delay in 0 1000; do
    # With a delay of the answers, the process ends before any call does.
    start_sandbox "$out/sandbox" --fault '{"kind":"delay","ms":'$delay',"stage":"request"}'
    promise "$archive_title: five processes exit with calls under way, answers are late by $delay ms" \
      five_exit $archive_emulator "$archive_program" "$ZELF_HTTPS" "$ZELF_CA"
    stop_sandbox
  done
}
five_exit() {
  for process in 1 2 3 4 5; do
    timeout 60 "$@"
    status=$?
    [ $status -eq 7 ] || { echo "process $process: status $status instead of 7"; return 1; }
  done
}

# with_shared_library COMPILER EMULATOR: builds it with the shared library of $package, and runs it.
with_shared_library() {
  program=$out/shared
  archive_compiles "$platform, shared" "$program" "$1" -I"$package/include" -L"$package/lib" -lzelf \
    -Wl,-rpath,"$package/lib" -lpthread &&
    archive_program "$platform, shared" "$program" "$2"
}
# with_archive COMPILER EMULATOR: the same with the static library.
with_archive() {
  # Windows starts only files with this ending, and the others may have it.
  program=${programs:-$out}/static.exe
  archive_compiles "$platform, static" "$program" "$1" $(pc Cflags.private) -I"$package/include" \
    "$package/lib/libzelf.a" $(pc Libs.private) &&
    archive_program "$platform, static" "$program" "$2"
}
