# Sourced by test-platforms: Windows on x86_64, under Wine.
windows_gcc=x86_64-w64-mingw32-gcc
windows_target=x86_64-pc-windows-gnu

# The loader finds a DLL in the folder of the program. Wine 8 has no bcryptprimitives.dll, so the
# folder has one with the function that the library needs.
windows_folder() {
  rm -rf "$programs"; mkdir -p "$programs"
  cp "$package/bin/zelf.dll" "$programs" &&
    $windows_gcc -shared -O1 tests/platforms/bcryptprimitives.c -o "$programs/bcryptprimitives.dll" -ladvapi32
}
# pe_needs_system FILE: succeeds if it needs DLLs that are part of Windows only.
pe_needs_system() {
  is_within "kernel32.dll ntdll.dll msvcrt.dll ws2_32.dll advapi32.dll crypt32.dll bcrypt.dll
    bcryptprimitives.dll userenv.dll secur32.dll ncrypt.dll api-ms-win-core-synch-l1-2-0.dll" \
    pe_imports "$1"
}

if platform windows && tools $windows_gcc wine wineserver "$readobj" && package $windows_target; then
  packaging/names >"$out/names"
  programs=$out/programs
  export WINEPREFIX="$out/wine" WINEDEBUG=-all WINEDLLOVERRIDES=mscoree,mshtml=
  dll=$package/bin/zelf.dll
  promise "$platform: zelf.dll exports the functions of the header and no more" \
    is_list "$out/names" pe_exports "$dll"
  promise "$platform: it needs DLLs of the system only" pe_needs_system "$dll"
  promise "$platform: its address is random, and its data is not executable" pe_has "$dll" \
    IMAGE_DLL_CHARACTERISTICS_DYNAMIC_BASE IMAGE_DLL_CHARACTERISTICS_NX_COMPAT \
    IMAGE_DLL_CHARACTERISTICS_HIGH_ENTROPY_VA
  archive_shape "$platform" "$package/lib/libzelf.a"
  if promise "$platform: a folder for programs is made" windows_folder &&
    promise "$platform: Wine starts" wine wineboot -i; then
    if archive_compiles "$platform, shared" "$programs/shared.exe" $windows_gcc -I"$package/include" \
      "$package/lib/libzelf.dll.a"; then
      archive_program "$platform, shared" "$programs/shared.exe" wine
    fi
    with_archive $windows_gcc wine
    if promise "$platform: windows.c compiles as C99 without a warning" $windows_gcc $strict -D__USE_MINGW_ANSI_STDIO=1 \
      -I"$package/include" tests/platforms/windows.c "$package/lib/libzelf.dll.a" -lws2_32 \
      -o "$programs/windows.exe"; then
      sandbox_options= run "$platform: windows" \
        env ZELF_DLL="$programs/zelf.dll" sh -c 'cd "$1" && exec wine windows.exe' sh "$programs"
    fi
    # It ends when no program runs any more.
    wineserver -k || :
    wineserver -w
  fi
  programs=
  took
fi
