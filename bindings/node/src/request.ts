/** Requests to any route of the server, and their answers. */

import { inspect } from "node:util";

import type { Pointer } from "./abi";
import { closed } from "./errors";
import { copy, Handle, zelf } from "./native";
import { flag, integer, text, uint32, wellFormed, withOptions, type Setters } from "./options";

/** A request to any route of the server. */
export interface ApiRequest {
  /** Default: "GET". */
  method?: string | undefined;
  /** Path and query, percent-encoded, such as "/api/tags/search?tagName=a.zelf". */
  target: string;
  /** A plain object, or pairs of a name and a value, such as those of Headers. */
  headers?: Readonly<Record<string, string>> | Iterable<readonly [string, string]> | undefined;
  body?: string | Uint8Array | undefined;
  /** The Content-Type header of the body. Default: none is sent. */
  contentType?: string | undefined;
  /** Limits the whole call: session, all attempts and response. Default: 30000. */
  timeoutMs?: number | undefined;
  /** Limits the body of the response. Default: 8 MiB. */
  maxResponseBytes?: number | undefined;
  /** Whether the server may carry the request out more than once. Default: for GET and HEAD. */
  repeatable?: boolean | undefined;
}

type Settings = Omit<ApiRequest, "method" | "target" | "contentType">;

/** Returns the names and values of headers. Others have no own properties to look for. */
function pairs(headers: NonNullable<ApiRequest["headers"]>): Iterable<readonly [string, string]> {
  const wrong = new TypeError("headers must be a plain object, Headers or pairs of a name and a value");
  if (typeof headers !== "object") throw wrong;
  if (Symbol.iterator in headers) {
    const found = [...headers as Iterable<readonly [string, string]>];
    if (!found.every((pair) => Array.isArray(pair) && pair.length === 2)) throw wrong;
    return found;
  }
  const prototype: unknown = Object.getPrototypeOf(headers);
  // The prototype of plain objects, also of those of another context, has no prototype.
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) throw wrong;
  return Object.entries(headers);
}

/** Makes a request of the library, and frees it after its use. */
export function usingRequest<Result>(request: ApiRequest, use: (pointer: Pointer | null) => Result): Result {
  const { method = "GET", target, contentType, ...settings } = request;
  const setters: Setters<Settings> = {
    headers: (o, values) => {
      for (const [name, value] of pairs(values)) {
        zelf.zelf_request_set_header(o, text(name, "the name of a header"), text(value, `the header ${name}`));
      }
    },
    body: (o, value) => {
      if (typeof value !== "string" && !(value instanceof Uint8Array)) {
        throw new TypeError("body must be a string or a Uint8Array");
      }
      // The copy has the true length: a length property may be the user's own.
      const bytes = typeof value === "string" ? Buffer.from(wellFormed(value, "body")) : new Uint8Array(value);
      // An address of no bytes may be NULL, which would be no body.
      const passed = bytes.length === 0 ? Buffer.alloc(1) : bytes;
      const type = contentType == null ? null : text(contentType, "contentType");
      zelf.zelf_request_set_body(o, passed, bytes.length, type);
    },
    timeoutMs: (o, value, name) => zelf.zelf_request_set_timeout_ms(o, uint32(value, name)),
    maxResponseBytes: (o, value, name) =>
      zelf.zelf_request_set_max_response_bytes(o, integer(value, name, 0, Number.MAX_SAFE_INTEGER)),
    repeatable: (o, value, name) => zelf.zelf_request_set_repeatable(o, flag(value, name)),
  };
  const pointer = zelf.zelf_request_new(text(method, "method"), text(target, "target"));
  return withOptions<Settings, Result>(pointer, zelf.zelf_request_free, setters, settings, use);
}

/** @internal Makes the ApiResponse of a pointer, which it owns from then on. */
export let takeResponse: (pointer: Pointer) => ApiResponse;

/** A complete answer of the server, with any status. */
export class ApiResponse implements Disposable {
  readonly #handle: Handle;
  readonly #length: number;

  static {
    takeResponse = (pointer) => new ApiResponse(pointer, takeResponse);
  }

  private constructor(pointer: Pointer, key: unknown) {
    if (key !== takeResponse) throw new TypeError("an ApiResponse comes from a client or a provider");
    const length = new BigUint64Array(1);
    zelf.zelf_response_body(pointer, length);
    this.#length = Number(length[0]);
    this.#handle = new Handle(this, pointer, "zelf_response_free", { bytes: this.#length });
  }

  get #pointer(): Pointer {
    const pointer = this.#handle.pointer;
    if (pointer === null) throw closed("response");
    return pointer;
  }

  /** The HTTP status, such as 200. */
  get status(): number {
    return zelf.zelf_response_http_status(this.#pointer);
  }

  /** Whether the status is 200 to 299. */
  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  /** Returns the first header with this name, in any case. */
  header(name: string): string | undefined {
    return zelf.zelf_response_header(this.#pointer, text(name, "name")) ?? undefined;
  }

  /** Returns a copy of the body. */
  bytes(): Buffer {
    const body = zelf.zelf_response_body(this.#pointer, new BigUint64Array(1));
    const bytes = Buffer.alloc(this.#length);
    if (body !== null) copy(bytes, body, bytes.length);
    return bytes;
  }

  /** Returns the body, read as UTF-8. */
  text(): string {
    return this.bytes().toString();
  }

  /** Returns the body, read as JSON. */
  json(): unknown {
    return JSON.parse(this.text());
  }

  /** The server's words in a response with status 400 or more. Display them as plain text only. */
  get serverMessage(): string | undefined {
    return zelf.zelf_response_server_message(this.#pointer) ?? undefined;
  }

  /** Wipes and frees the response. */
  close(): void {
    this.#handle.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  [inspect.custom](_depth: number, options: object): string {
    return `ApiResponse ${inspect(this.#handle.pointer === null ? {} : { status: this.status, length: this.#length }, options)}`;
  }
}
