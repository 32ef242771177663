# Sourced by test-installation: tests the module map for Clang and Swift.
if has clang; then
  printf '@import CZelf;\nint main(void) { return zelf_version() == 0; }\n' >"$out/module.m"
  for map in "$prefix/include/zelf" include; do
    promise "Clang imports the module of ${map#"$out/"}" clang -fmodules -fmodules-cache-path="$out/modules" \
      -fsyntax-only $strict -I"$map" "$out/module.m"
  done
else
  skip "the module map (clang)"
fi
