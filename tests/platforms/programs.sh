# Sourced by test-platforms: the C test programs, on another platform.
. tests/c/programs.sh
real_proxies= second_library= rows=0
# The value that was set for this machine. An emulator has another.
slow=${ZELF_SLOW:-1}

# c_programs LIBRARY-FOLDER COMPILER EMULATOR: builds each program of tests/c, and runs it against
# the shared library in the folder. The emulator is empty, or a command before the program.
c_programs() {
  release=$1 c_compiler=$2 emulator=$3
  c_out=$out/c
  mkdir -p "$c_out"
  # A program looks for the library by its SONAME.
  [ -e "$release/libzelf.so.0" ] || ln -s libzelf.so "$release/libzelf.so.0"
  built=' '
  if [ -n "$emulator" ]; then
    # An emulator is slower, and adds a thread to the process.
    export ZELF_QUICK=1 ZELF_SLOW=3 ZELF_OTHER_THREADS=1
    calls=2000 steps=10000
  else
    unset ZELF_QUICK ZELF_OTHER_THREADS
    export ZELF_SLOW=$slow
    calls=10000 steps=100000
  fi
  programs
}

# check_program: fails, with the names that exist, if no platform has a program $only_program.
check_program() {
  [ -n "$only_program" ] || return 0
  list=$(
    release= calls= steps=
    row() { case " $* " in *" plain "* | *" hooks "*) echo "${1%% *}" ;; esac; }
    programs | sort -u
  )
  case "
$list
" in *"
$only_program
"*) return 0 ;; esac
  echo "there is no test platforms/$only/$only_program, only:"
  printf "  platforms/$only/%s\n" $list
  exit 1
}

# row "PROGRAM [ARGUMENT...]" "SANDBOX OPTION..." WAY...: a row of tests/c/programs.sh.
row() {
  command=$1 sandbox_options=$2; shift 2
  program=${command%% *}
  [ -z "$only_program" ] || [ "$only_program" = "$program" ] || return 0
  case " $* " in *" plain "* | *" hooks "*) ;; *) return 0 ;; esac
  rows=$((rows + 1))
  reason=$(left_out "$program")
  if [ -n "$reason" ]; then
    case $built in *" $program "*) ;; *) echo "left out - $platform: $program: $reason" ;; esac
    built="$built$program "
    return 0
  fi
  c_program || return 0
  set -- $command
  shift
  run "$platform: $command${sandbox_options:+ (sandbox $sandbox_options)}" \
    $emulator "$c_out/$program" "$@"
}

# left_out PROGRAM: prints why the platform leaves it out, or nothing.
left_out() {
  sed -n "s/^| $platform | $1 | \(.*\) |\$/\1/p" docs/platforms.md
}

c_program() { # builds $program, once
  case $built in *" $program "*) [ -x "$c_out/$program" ]; return ;; esac
  built="$built$program "
  rm -f "$c_out/$program"
  promise "$platform: $program compiles without a warning" \
    $c_compiler $strict -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -g "tests/c/$program.c" -Iinclude \
    -L"$release" -lzelf -Wl,-rpath,"$release" -lpthread -ldl -o "$c_out/$program"
}
