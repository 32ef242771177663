# Sourced by test-abi: tests what valgrind reports with the library's suppressions. They match
# function names, which a stripped library does not have.

memory_checker() {
  program=careless
  build careless "compiles without a warning" -L$release || return
  mkdir -p "$out/stripped"
  promise "the library can be stripped" \
    strip -o "$out/stripped/libzelf.so.0" "$release/libzelf.so" || return
  sandbox_options= run "session under valgrind, with a stripped library" \
    env LD_LIBRARY_PATH="$out/stripped" $valgrind "$out/session"
  for folder in $release $out/stripped; do
    case $folder in $release) library="the library" ;; *) library="a stripped library" ;; esac
    start_sandbox "$out/sandbox"
    careless="gives 9 env LD_LIBRARY_PATH=$folder $valgrind $out/careless"
    promise "valgrind reports a session that is not freed, with $library" $careless leaked
    promise "valgrind reports a read of a freed token, with $library" $careless freed
    promise "valgrind reports an unwritten identifier, with $library" $careless unwritten
    stop_sandbox
  done
}

if wanted memory_checker && has valgrind; then
  program=session
  build session "compiles without a warning" -L$release && memory_checker
fi
