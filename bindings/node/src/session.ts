/** Sessions, and what to ask of a new one. */

import { inspect } from "node:util";

import { constants, type Functions, type Pointer } from "./abi";
import { check, closed } from "./errors";
import { Handle, zelf } from "./native";
import { flag, integer, text, type Setters } from "./options";

/** The purpose of a session. */
export const SessionType = {
  GENERAL: constants.ZELF_SESSION_TYPE_GENERAL,
  CREATE_WALLET: constants.ZELF_SESSION_TYPE_CREATE_WALLET,
  DECRYPT_WALLET: constants.ZELF_SESSION_TYPE_DECRYPT_WALLET,
  IMPORT_WALLET: constants.ZELF_SESSION_TYPE_IMPORT_WALLET,
} as const;
export type SessionType = (typeof SessionType)[keyof typeof SessionType];

/** What to ask of a new session. Only what is set is sent. */
export interface SessionOptions {
  /** The unique identifier of the device: see randomIdentifier and deriveIdentifier. */
  identifier?: string | undefined;
  type?: SessionType | undefined;
  /** Whether the session belongs to a browser extension. */
  webExtension?: boolean | undefined;
  /** The name service domain, such as "zelf". */
  domain?: string | undefined;
  tagName?: string | undefined;
  ethAddress?: string | undefined;
  /** Whether to end the server's session for the identifier and make a new one. */
  killSession?: boolean | undefined;
  /** Whether to confirm that a new session exists. */
  confirm?: boolean | undefined;
}

/** @internal */
export const sessionSetters: Setters<SessionOptions> = {
  identifier: (o, value, name) => zelf.zelf_session_options_set_identifier(o, text(value, name)),
  type: (o, value, name) => zelf.zelf_session_options_set_type(o, integer(value, name, -0x8000_0000, 0x7fff_ffff)),
  webExtension: (o, value, name) => zelf.zelf_session_options_set_web_extension(o, flag(value, name)),
  domain: (o, value, name) => zelf.zelf_session_options_set_domain(o, text(value, name)),
  tagName: (o, value, name) => zelf.zelf_session_options_set_tag_name(o, text(value, name)),
  ethAddress: (o, value, name) => zelf.zelf_session_options_set_eth_address(o, text(value, name)),
  killSession: (o, value, name) => zelf.zelf_session_options_set_kill_session(o, flag(value, name)),
  confirm: (o, value, name) => zelf.zelf_session_options_set_confirm(o, flag(value, name)),
};

/** @internal Makes the Session of a pointer, which it owns from then on. */
export let takeSession: (pointer: Pointer) => Session;
/** @internal Returns the pointer of a Session. */
export let pointerOf: (session: Session) => Pointer;

/** A session. Its text forms never show the token. Texts from the token are not verified. */
export class Session implements Disposable {
  readonly #handle: Handle;

  static {
    takeSession = (pointer) => new Session(pointer, takeSession);
    pointerOf = (session) => session.#pointer;
  }

  private constructor(pointer: Pointer, key: unknown) {
    if (key !== takeSession) throw new TypeError("a Session comes from a client or a provider");
    // A provider returns one session many times.
    this.#handle = new Handle(this, pointer, "zelf_session_free", { isShared: true });
  }

  get #pointer(): Pointer {
    const pointer = this.#handle.pointer;
    if (pointer === null) throw closed("session");
    return pointer;
  }

  /** The token, a secret. */
  get token(): string {
    return zelf.zelf_session_token(this.#pointer) ?? "";
  }

  /** The value of the Authorization header: "Bearer " and the token. */
  get authorization(): string {
    return zelf.zelf_session_authorization(this.#pointer) ?? "";
  }

  /** The session's id on the server. */
  get id(): string | undefined {
    return zelf.zelf_session_id(this.#pointer) ?? undefined;
  }

  /** The identifier in the token: whose session it is. */
  get identifier(): string | undefined {
    return zelf.zelf_session_identifier(this.#pointer) ?? undefined;
  }

  get domain(): string | undefined {
    return zelf.zelf_session_domain(this.#pointer) ?? undefined;
  }

  get tagName(): string | undefined {
    return zelf.zelf_session_tag_name(this.#pointer) ?? undefined;
  }

  get ethAddress(): string | undefined {
    return zelf.zelf_session_eth_address(this.#pointer) ?? undefined;
  }

  /** When the session began, by the server's clock, if the server said it. */
  get activatedAt(): Date | undefined {
    const seconds = Number(zelf.zelf_session_activated_at(this.#pointer));
    return seconds === 0 ? undefined : new Date(seconds * 1000);
  }

  /** When the session ends, by the server's clock. Use secondsLeft to decide. */
  get expiresAt(): Date {
    return new Date(Number(zelf.zelf_session_expires_at(this.#pointer)) * 1000);
  }

  /** How many whole seconds the session has left. It does not depend on the device's date. */
  get secondsLeft(): number {
    return Number(zelf.zelf_session_seconds_left(this.#pointer));
  }

  /** Frees the session. The session on the server is not affected. */
  close(): void {
    this.#handle.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Returns what JSON may show. */
  toJSON(): object {
    if (this.#handle.pointer === null) return {};
    return { id: this.id, identifier: this.identifier, expiresAt: this.expiresAt };
  }

  [inspect.custom](_depth: number, options: object): string {
    return `Session ${inspect(this.toJSON(), options)}`;
  }
}

type Identify = (out: Uint8Array, capacity: number) => ReturnType<Functions["zelf_identifier_random"]>;

function identifier(fill: Identify): string {
  const out = new Uint8Array(constants.ZELF_IDENTIFIER_SIZE);
  check(fill(out, out.length));
  return Buffer.from(out.subarray(0, -1)).toString("latin1");
}

/** Makes a random identifier of 128 bits. Keep it: another one is another device. */
export function randomIdentifier(): string {
  return identifier((out, capacity) => zelf.zelf_identifier_random(out, capacity));
}

/** Derives an identifier from a device id, such as a serial number, in a few milliseconds. */
export function deriveIdentifier(deviceId: string): string {
  const id = text(deviceId, "deviceId");
  return identifier((out, capacity) => zelf.zelf_identifier_derive(id, out, capacity));
}
