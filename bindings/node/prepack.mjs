// Puts the library and its licences into the package. ZELF_PREFIX names the prefix where the
// library is installed. Without it, what make lib has built in this repository is installed into
// build/, or what make lib TARGET=T has built, if ZELF_TARGET names T.

import { execFileSync } from "node:child_process";
import { cpSync, copyFileSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
let prefix = process.env.ZELF_PREFIX;
if (!prefix) {
  prefix = join(here, "build");
  const top = join(here, "..", "..");
  const target = process.env.ZELF_TARGET ?? "";
  const processor = { arm64: "aarch64", x64: "x86_64" }[process.arch] ?? process.arch;
  const wanted = `${processor}-unknown-${process.platform}-gnu`;
  if (target && target !== wanted) throw new Error(`ZELF_TARGET is ${target}, and this Node's is ${wanted}`);
  const options = ["-s", "install", `PREFIX=${prefix}`, `TARGET=${target}`];
  execFileSync("make", options, { cwd: top, stdio: "inherit" });
}

const folder = join(here, "prebuilds", `${process.platform}-${process.arch}`);
const library = join(folder, "libzelf.so");
mkdirSync(folder, { recursive: true });
copyFileSync(join(prefix, "lib", "libzelf.so.0"), library);
execFileSync("strip", ["--strip-unneeded", library]);

// The library contains the code of others.
const licences = join(here, "licences");
rmSync(licences, { recursive: true, force: true });
const documents = join(prefix, "share", "doc", "zelf");
for (const name of readdirSync(documents)) {
  if (name !== "licences" && !name.startsWith("LICENSE-")) continue;
  cpSync(join(documents, name), join(licences, name), { recursive: true });
}
