// The package as it was installed.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";

import * as zelf from "zelf";
import "./sandbox.mjs";

const require = createRequire(import.meta.url);
const repository = process.env.ZELF_REPOSITORY;
const folder = join(import.meta.dirname, "node_modules", "zelf");
const library = join(folder, "prebuilds", `${process.platform}-${process.arch}`, "libzelf.so");
// Without the functions that exist on Android only.
const header = readFileSync(join(repository, "include", "zelf.h"), "utf8")
  .replace(/^#if defined\(__ANDROID__\)\n.*?^#endif\n/ms, "");
const readme = readFileSync(join(repository, "bindings", "node", "README.md"), "utf8");
const { prototypes, constants } = require(join(folder, "dist", "abi.js"));

test("import and require give the same package", () => {
  const required = require("zelf");
  assert.deepEqual(Object.keys(required).filter((name) => name !== "__esModule").sort(), Object.keys(zelf)
    .filter((name) => !["default", "__esModule", "module.exports"].includes(name)).sort());
  assert.equal(required.Client, zelf.Client);
  assert.equal(required.ZelfError, zelf.ZelfError);
});

test("the package has the library and its types, and no sources", () => {
  assert.deepEqual(readdirSync(folder).sort(),
    ["README.md", "dist", "index.d.mts", "index.mjs", "licences", "package.json", "prebuilds"]);
  assert.ok(statSync(library).size > 1_000_000);
  assert.ok(!spawnSync("readelf", ["-S", library], { encoding: "utf8" }).stdout?.includes(".symtab"));
  assert.deepEqual(Object.keys(require("zelf/package.json").dependencies), ["koffi"]);
});

test("the package has the licences of the library and of its code, and no other document", () => {
  assert.deepEqual(readdirSync(join(folder, "licences")).sort(), ["LICENSE-APACHE", "LICENSE-MIT", "licences"]);
  assert.ok(readdirSync(join(folder, "licences", "licences")).length > 10);
});

test("npm refuses the package on another system than Linux with glibc", () => {
  const { os, cpu, libc } = require("zelf/package.json");
  assert.deepEqual([os, libc], [["linux"], ["glibc"]]);
  assert.ok(cpu.includes(process.arch));
});

test("the table has every function of the header with its parameters, and the library has it too", () => {
  const declared = [...header.matchAll(/^ZELF_API\s(?:ZELF_MUST_USE\s)?[^;()]*?\b(zelf_\w+)\(([^;]*?)\);/gm)];
  assert.ok(declared.length > 80, String(declared.length));
  assert.equal(declared.length, header.match(/^ZELF_API/gm).length);
  const koffi = require("koffi");
  const loaded = koffi.load(library);
  for (const [, name, parameters] of declared) {
    assert.ok(name in prototypes, name);
    const count = parameters.trim() === "void" ? 0 : parameters.split(",").length;
    assert.equal(loaded.func(prototypes[name]).info.arguments.length, count, name);
  }
  assert.equal(Object.keys(prototypes).length, declared.length);
});

test("the table has every constant of the header", () => {
  const defined = [...header.matchAll(/^#define (ZELF_\w+) ("[^"]*"|-?\d+)$/gm)];
  assert.ok(defined.length > 40, String(defined.length));
  for (const [, name, value] of defined) assert.equal(constants[name], JSON.parse(value), name);
  assert.equal(Object.keys(constants).length, defined.length);
});

test("every status of the library has the name of its constant", async () => {
  for (const [name, status] of Object.entries(constants)) {
    if (name.startsWith("ZELF_ERROR_")) assert.equal(new zelf.ZelfError("", { status }).code, name);
  }
});

test("a library that is too old is refused with a clear error", (context) => {
  const copy = mkdtempSync(join(import.meta.dirname, "old-"));
  const modules = join(copy, "node_modules");
  mkdirSync(modules);
  cpSync(folder, join(modules, "zelf"), { recursive: true });
  const prebuilt = join(modules, "zelf", "prebuilds", `${process.platform}-${process.arch}`, "libzelf.so");
  const source = join(copy, "old.c");
  for (const [version, isRefused] of [["0.0.9", true], ["0.1.9", false], ["0.2.0", false], ["1.0.0", false]]) {
    writeFileSync(source, `const char *zelf_version(void) { return "${version}"; }\n`);
    if (spawnSync("cc", ["-shared", "-fPIC", "-o", prebuilt, source]).status !== 0) return context.skip("no cc");
    const { status, stderr } = spawnSync(process.execPath, ["-e", 'require("zelf")'], { cwd: copy, encoding: "utf8" });
    assert.equal(status, 1);
    assert.equal(stderr.includes(`libzelf ${version} is too old: zelf needs 0.1 or later`), isRefused, stderr);
  }
});

test("a strict TypeScript program compiles with the package's types, as a module and as CommonJS", () => {
  const copy = mkdtempSync(join(import.meta.dirname, "types-"));
  const files = ["types.mts", "types.cts", "readme.mts"];
  for (const file of files.slice(0, 2)) cpSync(join(import.meta.dirname, "types.mts"), join(copy, file));
  writeFileSync(join(copy, "readme.mts"), [...readme.matchAll(/^```js\n(.*?)^```$/gms)].map((block) => block[1]).join(""));
  writeFileSync(join(copy, "tsconfig.json"), JSON.stringify({
    compilerOptions: {
      target: "es2022", lib: ["es2022", "esnext.disposable"], module: "node16", strict: true, noEmit: true,
      noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true,
      types: ["node"], typeRoots: [process.env.ZELF_TYPES],
    },
    files,
  }));
  const { status, stdout } = spawnSync(process.execPath, [process.env.ZELF_TSC, "--project", copy], { encoding: "utf8" });
  assert.equal(status, 0, stdout);
});

/** Runs a program in an empty folder that only has what was installed. */
function run(program) {
  const empty = mkdtempSync(join(import.meta.dirname, "example-"));
  writeFileSync(join(empty, "example.mjs"), program);
  return execFileSync(process.execPath, ["example.mjs"], { cwd: empty, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

test("every example of the README runs as it is pasted", () => {
  const blocks = [...readme.matchAll(/^```js\n(.*?)^```$/gms)].map((block) => block[1]);
  assert.equal(blocks.length, 4);
  const [first, ...others] = blocks;
  assert.match(run(first), /^200 \{/);
  const outputs = others.map((block) => run(first + block));
  assert.match(outputs[0], /Session \{[^}]*0d9e1c47b2a85f36[^}]*\} \d+ \[ 'Authorization' \]\n$/);
  assert.doesNotMatch(outputs[0], /eyJ/);
  assert.match(outputs[1], /200 \{[^]*200 \{/);
  assert.match(run(first + others[2].replace('console.error(error.code', 'console.log(error.code')), /ZELF_ERROR_INVALID_ARGUMENT/);
});

test("the README is one screen", () => {
  assert.ok(readme.trimEnd().split("\n").length <= 60);
});

test("the example runs", () => {
  const example = readFileSync(join(repository, "bindings", "node", "examples", "session.mjs"), "utf8");
  assert.match(run(example), /^200 \{/);
});
