/** Session providers. */

import { constants, type Pointer } from "./abi";
import type { CallOptions } from "./calls";
import { handleOf, type Client } from "./client";
import { closed, errorOf, takeError, type ZelfError } from "./errors";
import { Handle, zelf } from "./native";
import { flag, integer, text, uint32, withOptions, type Setters } from "./options";
import { takeResponse, usingRequest, type ApiRequest, type ApiResponse } from "./request";
import { pointerOf, sessionSetters, takeSession, type Session, type SessionOptions } from "./session";

/** When a provider renews its session, and whether it may end the old one. */
export const Renewal = {
  /** Renews when too little is left. */
  AT_EXPIRY: constants.ZELF_RENEWAL_AT_EXPIRY,
  /** Renews without ending a session. For identifiers that several devices share. */
  NEVER_KILL: constants.ZELF_RENEWAL_NEVER_KILL,
  /** Renews before the end. For an identifier that a single process uses. */
  EARLY: constants.ZELF_RENEWAL_EARLY,
} as const;
export type Renewal = (typeof Renewal)[keyof typeof Renewal];

/** How a provider keeps its session. */
export interface ProviderOptions {
  /** How many seconds a session must have left to be handed out. Default: 5. */
  minValidS?: number | undefined;
  /** Default: Renewal.AT_EXPIRY. */
  renewal?: Renewal | undefined;
  /** Whether a thread of the client renews ahead of time. Default: false. */
  background?: boolean | undefined;
  /** A private directory in which the session is stored for other processes. */
  directory?: string | undefined;
}

const setters: Setters<ProviderOptions> = {
  minValidS: (o, value, name) => zelf.zelf_provider_options_set_min_valid_s(o, uint32(value, name)),
  renewal: (o, value, name) =>
    zelf.zelf_provider_options_set_renewal(o, integer(value, name, -0x8000_0000, 0x7fff_ffff)),
  background: (o, value, name) => zelf.zelf_provider_options_set_background(o, flag(value, name)),
  directory: (o, value, name) => zelf.zelf_provider_options_set_directory(o, text(value, name)),
};

type Fetch = typeof globalThis.fetch;

/** The library needs at most this much of an answer to judge it. */
const JUDGED_BYTES = 65536;

/** Keeps one session, and renews it. */
export class SessionProvider implements Disposable {
  readonly #client: Client;
  readonly #handle: Handle;

  /** options: with an identifier, and without killSession. */
  constructor(client: Client, options: SessionOptions, providerOptions: ProviderOptions = {}) {
    const error = new BigUint64Array(1);
    const pointer = withOptions(zelf.zelf_session_options_new(), zelf.zelf_session_options_free, sessionSetters, options, (o) =>
      withOptions(zelf.zelf_provider_options_new(), zelf.zelf_provider_options_free, setters, providerOptions, (p) =>
        zelf.zelf_session_provider_new(handleOf(client).pointer, o, p, error)),
    );
    if (pointer === null) throw takeError(error[0]!);
    this.#client = client;
    this.#handle = new Handle(this, pointer, "zelf_session_provider_free");
  }

  get #pointer(): Pointer {
    const pointer = this.#handle.pointer;
    if (pointer === null) throw closed("provider");
    return pointer;
  }

  /** Returns a session with enough time left. With a valid session it makes no call. */
  async get(options: CallOptions = {}): Promise<Session> {
    const { signal } = options;
    signal?.throwIfAborted();
    const current = zelf.zelf_session_provider_current(this.#pointer);
    if (current !== null) return takeSession(current);
    return handleOf(this.#client).call(this, { signal }, takeSession, (callback, id, error) =>
      zelf.zelf_session_provider_get_async(this.#pointer, callback, id, null, error));
  }

  /**
   * Sends a request with the session. If the server refuses the session, the request is sent
   * again with a new one. An answer of any status is a response.
   */
  async send(request: ApiRequest, options: CallOptions = {}): Promise<ApiResponse> {
    return usingRequest(request, (pointer) =>
      handleOf(this.#client).call(this, options, takeResponse, (callback, id, error) =>
        zelf.zelf_session_provider_send_async(this.#pointer, pointer, callback, id, null, error)));
  }

  /**
   * Calls fetch with the session's token and the client's Origin header. If the server refuses
   * the session, it calls fetch once more with a new one, unless the body is a stream.
   *
   * It refuses URLs of another server than the client's. After a redirect to another server, the
   * answer says nothing about the session. fetch has its own certificates, proxies and time
   * limits: those of the client do not apply.
   */
  fetch: Fetch = async (input, init) => {
    // The caller may change its objects while this waits for a session, so it copies them first.
    const request = input instanceof Request ? input : null;
    const url = new URL(request === null ? String(input) : urlOf(request));
    const { signal = request?.signal, body, ...settings } = init ?? {};
    const asked = { ...settings, signal, body: copyOf(body), headers: new Headers(init?.headers ?? request?.headers) };
    const server = new URL(this.#client.baseUrl).origin;
    if (url.origin !== server) {
      throw errorOf(`the token is for ${server} only, not for ${url.origin}`, {
        status: constants.ZELF_ERROR_INVALID_ARGUMENT,
      });
    }
    const send = async (session: Session) => {
      asked.headers.set("authorization", session.authorization);
      asked.headers.set("origin", this.#client.origin);
      return fetch(request ?? url.href, asked);
    };
    using session = await this.get({ signal });
    const response = await send(session);
    if (response.status !== 401 && response.status !== 403) return response;
    if (response.redirected && new URL(response.url).origin !== server) return response;
    const answer = await firstBytes(response);
    const isRefused = zelf.zelf_session_provider_invalidate_if_refused(
      this.#pointer, pointerOf(session), response.status, answer, answer.length);
    if (!isRefused || !canRepeat(request, body)) return response;
    await response.body?.cancel();
    using next = await this.get({ signal });
    return send(next);
  };

  /**
   * Tells the provider that a route refused its session: 401 "Protected resource" or 403
   * "Session is not active". The next get returns another one. fetch and send do it themselves.
   *
   * Returns whether the provider held that session.
   */
  invalidate(rejected: Session): boolean {
    return zelf.zelf_session_provider_invalidate(this.#pointer, pointerOf(rejected));
  }

  /** Why the last renewal failed. */
  get lastError(): ZelfError | undefined {
    const error = zelf.zelf_session_provider_last_error(this.#pointer);
    return error === null ? undefined : takeError(error);
  }

  /** Frees the provider. Its calls under way continue. */
  close(): void {
    this.#handle.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Returns the URL that fetch uses, also for an object that has a url property. */
function urlOf(request: Request): string {
  return Object.getOwnPropertyDescriptor(Request.prototype, "url")!.get!.call(request);
}

/** Copies a body that its owner can change. */
function copyOf(body: RequestInit["body"]): RequestInit["body"] {
  if (ArrayBuffer.isView(body)) return new Uint8Array(body.buffer, body.byteOffset, body.byteLength).slice();
  if (body instanceof ArrayBuffer) return body.slice(0);
  if (body instanceof URLSearchParams) return new URLSearchParams(body);
  if (!(body instanceof FormData)) return body;
  const copy = new FormData();
  for (const [name, value] of body) copy.append(name, value);
  return copy;
}

/** Reads the beginning of a body, and leaves the response whole. */
async function firstBytes(response: Response): Promise<Uint8Array> {
  const reader = response.clone().body?.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  while (reader !== undefined && length < JUDGED_BYTES) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    length += value.length;
  }
  // Its promise waits for the end of the other half.
  void reader?.cancel().catch(() => {});
  return Buffer.concat(chunks).subarray(0, JUDGED_BYTES);
}

/** Returns whether fetch can send this body a second time: a stream is empty after the first. */
function canRepeat(request: Request | null, body: RequestInit["body"]): boolean {
  if (body === undefined || body === null) return request === null || request.body === null;
  return typeof body === "string" || ArrayBuffer.isView(body) ||
    [ArrayBuffer, Blob, FormData, URLSearchParams].some((kind) => body instanceof kind);
}
