/** Checks values of JavaScript, and passes them to setters of the library. */

import type { Pointer } from "./abi";

/** Sets one option of an object of the library. */
export type Setter<Value> = (object: Pointer | null, value: NonNullable<Value>, name: string) => void;

/** A setter for each option. */
export type Setters<Options> = { [Name in keyof Required<Options>]: Setter<Options[Name]> };

/** Calls the setter of each option that is set. */
export function set<Options extends object>(object: Pointer | null, setters: Setters<Options>, options: Options): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || value === null) continue;
    if (!Object.hasOwn(setters, name)) throw new TypeError(`there is no option ${name}`);
    setters[name as keyof Options](object, value, name);
  }
}

/** Sets the options of an object of the library, and frees it after its use. */
export function withOptions<Options extends object, Result>(
  object: Pointer | null,
  free: (object: Pointer | null) => void,
  setters: Setters<Options>,
  options: Options,
  use: (object: Pointer | null) => Result,
): Result {
  try {
    set(object, setters, options);
    return use(object);
  } finally {
    free(object);
  }
}

/** Returns text that C can read: C ends a text at its first NUL. */
export function text(value: unknown, name: string): string {
  if (typeof value !== "string") throw new TypeError(`${name} must be a string`);
  if (value.includes("\0")) throw new TypeError(`${name} must not contain a NUL`);
  return wellFormed(value, name);
}

/** Returns a string that UTF-8 can represent. */
export function wellFormed(value: string, name: string): string {
  if (!value.isWellFormed()) throw new TypeError(`${name} must not contain a lone surrogate`);
  return value;
}

/** Returns an integer that is not negative and has at most 32 bits. */
export function uint32(value: unknown, name: string): number {
  return integer(value, name, 0, 0xffff_ffff);
}

/** Returns an integer between two others. */
export function integer(value: unknown, name: string, least: number, most: number): number {
  if (typeof value !== "number") throw new TypeError(`${name} must be a number`);
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`${name} must be an integer from ${least} to ${most}`);
  }
  return value;
}

/** Returns a truth value. */
export function flag(value: unknown, name: string): boolean {
  if (typeof value !== "boolean") throw new TypeError(`${name} must be a boolean`);
  return value;
}
