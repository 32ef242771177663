/** Clients. */

import type { Pointer } from "./abi";
import { ClientHandle, closedClient, type CallOptions } from "./calls";
import { takeError } from "./errors";
import { zelf } from "./native";
import { flag, text, uint32, withOptions, type Setters } from "./options";
import { takeResponse, usingRequest, type ApiRequest, type ApiResponse } from "./request";
import { pointerOf, sessionSetters, takeSession, type Session, type SessionOptions } from "./session";

/** The settings of a client. What is not set has its default. */
export interface ClientOptions {
  /** The address of the API. Default: "https://api.zelf.world". */
  baseUrl?: string | undefined;
  /** The Origin header. Default: the origin of the base URL. */
  origin?: string | undefined;
  userAgent?: string | undefined;
  /** Limits a whole call, retries included. Default: 15000. */
  timeoutMs?: number | undefined;
  /** Limits the making of one connection. Default: 5000. */
  connectTimeoutMs?: number | undefined;
  /** How many attempts a call may make, counting the first. Default: 3. */
  maxAttempts?: number | undefined;
  /** Trusts only the certificates in this PEM file. */
  caFile?: string | undefined;
  /** Trusts only these certificates, in PEM form. */
  caPem?: string | undefined;
  /** The server must have one of these keys: base64 of the SHA-256 of each. */
  pins?: readonly string[] | undefined;
  /** The URL of a proxy. Default: none, also if the environment names one. */
  proxy?: string | undefined;
  /** Takes the proxy from the environment, unless one is set. */
  proxyFromEnv?: boolean | undefined;
}

const setters: Setters<ClientOptions> = {
  baseUrl: (o, value, name) => zelf.zelf_config_set_base_url(o, text(value, name)),
  origin: (o, value, name) => zelf.zelf_config_set_origin(o, text(value, name)),
  userAgent: (o, value, name) => zelf.zelf_config_set_user_agent(o, text(value, name)),
  timeoutMs: (o, value, name) => zelf.zelf_config_set_timeout_ms(o, uint32(value, name)),
  connectTimeoutMs: (o, value, name) => zelf.zelf_config_set_connect_timeout_ms(o, uint32(value, name)),
  maxAttempts: (o, value, name) => zelf.zelf_config_set_max_attempts(o, uint32(value, name)),
  caFile: (o, value, name) => zelf.zelf_config_set_ca_file(o, text(value, name)),
  caPem: (o, value, name) => zelf.zelf_config_set_ca_pem(o, text(value, name), Buffer.byteLength(value)),
  pins: (o, values, name) => {
    if (!Array.isArray(values)) throw new TypeError(`${name} must be an array`);
    for (const value of values) zelf.zelf_config_add_pin(o, text(value, name));
  },
  proxy: (o, value, name) => zelf.zelf_config_set_proxy(o, text(value, name)),
  proxyFromEnv: (o, value, name) => zelf.zelf_config_set_proxy_from_env(o, flag(value, name)),
};

/** @internal Returns the handle of a Client that is not closed. */
export let handleOf: (client: Client) => ClientHandle & { pointer: Pointer };

/** Creates sessions with one set of settings. A client belongs to the thread that made it. */
export class Client implements Disposable {
  readonly #handle: ClientHandle;
  readonly #baseUrl: string;
  readonly #origin: string;

  static {
    handleOf = (client) => {
      const handle = client.#handle;
      if (handle.pointer === null) throw closedClient();
      return handle as ClientHandle & { pointer: Pointer };
    };
  }

  /** Checks the settings. It reads certificates, but opens no connection. */
  constructor(options: ClientOptions = {}) {
    const error = new BigUint64Array(1);
    const pointer = withOptions(zelf.zelf_config_new(), zelf.zelf_config_free, setters, options, (config) => {
      zelf.zelf_config_set_dispatch(config, true);
      return zelf.zelf_client_new(config, error);
    });
    if (pointer === null) throw takeError(error[0]!);
    this.#handle = new ClientHandle(this, pointer);
    this.#baseUrl = zelf.zelf_client_base_url(pointer) ?? "";
    this.#origin = zelf.zelf_client_origin(pointer) ?? "";
  }

  /** The address of the API, without "/" at its end. */
  get baseUrl(): string {
    return this.#baseUrl;
  }

  /** The Origin header, which the server requires. */
  get origin(): string {
    return this.#origin;
  }

  /** Creates a session. */
  async createSession(options: SessionOptions = {}, callOptions: CallOptions = {}): Promise<Session> {
    return withOptions(zelf.zelf_session_options_new(), zelf.zelf_session_options_free, sessionSetters, options, (options) =>
      handleOf(this).call(this, callOptions, takeSession, (callback, id, error) =>
        zelf.zelf_session_create_async(handleOf(this).pointer, options, callback, id, null, error)),
    );
  }

  /**
   * Sends a request with the token of a session, or without one. It renews nothing: an answer
   * that refuses the session is a response.
   */
  async send(request: ApiRequest, session: Session | null = null, callOptions: CallOptions = {}): Promise<ApiResponse> {
    return usingRequest(request, (pointer) =>
      handleOf(this).call(this, callOptions, takeResponse, (callback, id, error) => {
        const token = session === null ? null : pointerOf(session);
        return zelf.zelf_session_send_async(handleOf(this).pointer, token, pointer, callback, id, null, error);
      }));
  }

  /** Frees the client. Its calls under way fail with a CancelledError, later ones with a ShutDownError. */
  close(): void {
    this.#handle.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
