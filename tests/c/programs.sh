# Sourced by test-abi and ../platforms: the programs of this folder, with the options of their
# sandbox and the ways to run them. The script that sources it sets $release, the folder of the
# library, $second_library, another one in Rust or nothing, and $real_proxies.

if [ "${REQUIRE_ALL:-0}" = 1 ]; then calls=100000 steps=1000000; else calls=10000 steps=100000; fi
# A sandbox with these options keeps no list of requests. Rows with many requests use it.
forgetful="--record-limit 0 --quiet"

programs() {
  # row  PROGRAM [ARGUMENT...]  SANDBOX OPTIONS                      WAYS (ways.sh)
  row    "arguments"            ""                                   plain valgrind asan
  row    "session"              ""                                   plain valgrind asan asan_both
  row    "failures"             ""                                   plain valgrind asan asan_both
  row    "exchanges"            ""                                   plain valgrind asan
  row    "answers"              ""                                   plain valgrind asan
  row    "identifiers"          ""                                   plain valgrind asan
  row    "host"                 ""                                   plain
  row    "proxy"                ""                                   plain
  row    "proxy_refusals"       ""                                   plain asan
  row    "proxy_failures"       ""                                   plain asan
  row    "networks"             "--idle-close-ms 600"                plain asan
  [ -z "$real_proxies" ] ||
    row  "networks $real_proxies" "--idle-close-ms 600"              plain
  row    "wipe"                 ""                                   plain
  row    "transport"            "--idle-close-ms 100"                plain
  row    "transport"            "--idle-close-ms 100 --tls12-only"   plain
  row    "async"                ""                                   plain valgrind asan_both tsan
  row    "shutdown"             ""                                   plain valgrind asan_both tsan
  row    "nested"               ""                                   plain valgrind asan_both tsan
  row    "meet"                 ""                                   plain asan tsan
  row    "dispatch"             ""                                   plain valgrind asan_both tsan
  row    "provider"             ""                                   plain valgrind asan asan_both tsan
  row    "provider_processes"   ""                                   plain asan
  row    "requests"             ""                                   plain valgrind asan asan_both tsan
  row    "requests_failures"    "--idle-close-ms 600"                plain valgrind asan asan_both tsan
  row    "requests_async"       ""                                   plain valgrind asan asan_both tsan
  row    "requests_bodies"      "--body-limit 100000"                plain valgrind asan asan_both tsan
  row    "requests_bodies proxies" ""                                plain asan asan_both tsan
  row    "forks"                ""                                   plain
  row    "host_limits"          ""                                   plain
  row    "refusals"             "--quiet"                            plain
  row    "lifetimes"            "$forgetful"                         plain
  row    "streams"              ""                                   plain
  row    "exits"                ""                                   plain
  row    "endings"              ""                                   plain
  row    "pthread_exit"         ""                                   plain valgrind asan_both tsan
  row    "signals"              ""                                   plain
  row    "exhaustion"           ""                                   plain
  row    "load $release/libzelf.so" ""                               plain
  row    "unload $release/libzelf.so $second_library" ""           plain
  row    "panic"                ""                                   hooks
  row    "threads $calls"       "$forgetful"                         plain
  row    "threads"              ""                                   valgrind asan
  row    "threads 2000"         ""                                   tsan
  row    "stress $steps"        "$forgetful"                         plain
  row    "stress 10000"         "$forgetful"                         valgrind
  row    "stress 200000"        "$forgetful"                         asan_both
  row    "stress 20000"         "$forgetful"                         tsan
  row    "provider_stress $steps" "$forgetful --lifetime 8"          plain
  row    "provider_stress 10000" "$forgetful --lifetime 8"           valgrind
  row    "provider_stress 100000" "$forgetful --lifetime 8"          asan_both
  row    "provider_stress 20000" "$forgetful --lifetime 8"           tsan
  # This takes a minute. make soak runs it for an hour.
  if [ "${REQUIRE_ALL:-0}" = 1 ] || [ "$only" = soak ]; then
    row  "soak 60"              "$forgetful --lifetime 8"            plain
  else
    names="$names soak"
  fi
}
