/** Loads libzelf, and frees its objects. */

import { existsSync } from "node:fs";
import { join } from "node:path";

import { constants, prototypes, type Functions, type Pointer } from "./abi";

/**
 * What this package passes to functions of C.
 *
 * After worker.terminate(), JavaScript runs on until V8 stops it. Many functions of Node-API fail
 * meanwhile, and koffi aborts the process or crashes if one that it calls fails. It needs none of
 * them to pass these values, or to return a text, a number or an address.
 */
type Passed = Pointer | number | Uint8Array | BigUint64Array;

/** What this package uses of koffi. After it is loaded, a worker only calls functions of C. */
interface Koffi {
  load(file: string | null): { func(prototype: string): (...values: Passed[]) => unknown; symbol(name: string): Pointer };
  pointer(type: unknown): unknown;
  proto(prototype: string): unknown;
  register(callback: (...values: never[]) => void, type: unknown): Pointer;
  unregister(callback: Pointer): void;
  node: { env: Pointer; poll(descriptor: number, callback: () => void): Poll };
}

/** Watches something in the event loop of this thread. After ref it keeps the process alive. */
export interface Poll {
  ref(): void;
  unref(): void;
  close(): void;
}

export const koffi: Koffi = require("koffi");

/** Throws if a library of this version lacks something that the header declares. */
function checkVersion(version: string): void {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const { ZELF_VERSION_MAJOR: neededMajor, ZELF_VERSION_MINOR: neededMinor } = constants;
  if (major < neededMajor || (major === neededMajor && minor < neededMinor)) {
    throw new Error(`libzelf ${version} is too old: zelf needs ${neededMajor}.${neededMinor} or later`);
  }
}

/** Returns the library of the package, or the system's where the package has none. */
function libraryFile(): string {
  const file = join(__dirname, "..", "prebuilds", `${process.platform}-${process.arch}`, "libzelf.so");
  return existsSync(file) ? file : "libzelf.so.0";
}

const library = koffi.load(libraryFile());

/** The version of the loaded library. */
export const libraryVersion = library.func(prototypes.zelf_version)() as string;
checkVersion(libraryVersion);

/** The functions of the library. */
export const zelf = Object.fromEntries(
  Object.entries(prototypes).map(([name, prototype]) => [name, library.func(prototype)]),
) as unknown as Functions;

/** Functions of Node and of the C library. */
const host = koffi.load(null);
const { env } = koffi.node;
const addCleanupHook = host.func("int napi_add_env_cleanup_hook(void *env, void *hook, void *data)");
const removeCleanupHook = host.func("int napi_remove_env_cleanup_hook(void *env, void *hook, void *data)");
const adjustMemory = host.func("int napi_adjust_external_memory(void *env, int64_t change, void *total)");
/** Where Node puts how much memory it knows of. */
const total = new BigUint64Array(1);

/** Copies memory. */
export const copy = host.func("void memcpy(void *to, void *from, size_t length)");

/**
 * Keeps the file that contains a function in memory until the process ends.
 *
 * At the end of a worker, Node unmaps an addon that no other thread uses, and then runs the
 * addon's function that closes what koffi polled.
 */
export function keepLoaded(address: Pointer): void {
  // It begins with the address of the file's name.
  const found = new BigUint64Array(8);
  const RTLD_NOW = 2;
  if (
    host.func("int dladdr(void *address, void *found)")(address, found) === 0 ||
    host.func("void *dlopen(void *file, int mode)")(found[0]!, RTLD_NOW) === null
  ) {
    throw new Error("koffi cannot be kept in memory");
  }
}

type Free = { [Name in keyof Functions]: Name extends `${string}_free` ? Name : never }[keyof Functions];

/** The addresses of the functions that free objects. */
const frees = Object.fromEntries(
  Object.keys(prototypes).filter((name) => name.endsWith("_free")).map((name) => [name, library.symbol(name)]),
) as Record<Free, Pointer>;

/** Frees the objects of owners that the garbage collector has removed. */
const collected = new FinalizationRegistry<Handle>((handle) => handle.close());

/** Holds the pointer to an object of the library, and frees the object once. */
export class Handle {
  #pointer: Pointer | null;
  readonly #free: Free;
  readonly #hook: Pointer | null = null;
  readonly #bytes: number;

  /**
   * owner: the object that users see. It holds the Handle; the Handle does not hold it.
   * isShared: whether another Handle may have the same pointer. If not, the end of the
   *   thread frees the object, also an end by worker.terminate(), which runs no JavaScript.
   * bytes: memory that the garbage collector takes into account.
   */
  constructor(owner: object, pointer: Pointer, free: Free, { isShared = false, bytes = 0 } = {}) {
    this.#pointer = pointer;
    this.#free = free;
    this.#bytes = bytes;
    if (!isShared) {
      this.#hook = frees[free];
      addCleanupHook(env, this.#hook, pointer);
    }
    if (bytes > 0) adjustMemory(env, bytes, total);
    collected.register(owner, this, this);
  }

  /** The pointer; null after close. */
  get pointer(): Pointer | null {
    return this.#pointer;
  }

  /** Frees the object. */
  close(): void {
    const pointer = this.#pointer;
    if (pointer === null) return;
    this.#pointer = null;
    collected.unregister(this);
    if (this.#hook !== null) removeCleanupHook(env, this.#hook, pointer);
    if (this.#bytes > 0) adjustMemory(env, -this.#bytes, total);
    zelf[this.#free](pointer);
  }
}
