/** The errors of the library, a class for each kind. */

import { constants, type Pointer } from "./abi";
import { zelf } from "./native";
import { integer } from "./options";

/** What a ZelfError says. */
export interface ErrorDetails {
  status: number;
  httpStatus?: number | undefined;
  serverMessage?: string | undefined;
  retryable?: boolean | undefined;
  retryAfterMs?: number | undefined;
}

/** Why a call failed. It never contains a token. */
export class ZelfError extends Error {
  /** The number of the status. */
  readonly status: number;
  /** The name of the status, such as "ZELF_ERROR_TIMEOUT". */
  readonly code: string;
  /** The HTTP status of the answer, if one came. */
  readonly httpStatus: number | undefined;
  /** The words of the server or a proxy. Display them as plain text only. */
  readonly serverMessage: string | undefined;
  /** Whether the same call may succeed later, unchanged. */
  readonly retryable: boolean;
  /** How long to wait before the next attempt, if somebody asks to wait. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, details: ErrorDetails) {
    super(message);
    this.status = integer(details.status, "status", -0x8000_0000, 0x7fff_ffff);
    this.code = zelf.zelf_status_name(this.status) ?? "ZELF_ERROR_UNKNOWN";
    this.httpStatus = details.httpStatus;
    this.serverMessage = details.serverMessage;
    this.retryable = details.retryable ?? false;
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** An argument is unusable. The message names it. */
export class InvalidArgumentError extends ZelfError {}
/** A setting of the client is unusable. The message names it. */
export class InvalidConfigError extends ZelfError {}
/** The operating system refused something. */
export class SystemError extends ZelfError {}
/** The client was closed during the call. A call that a signal aborts fails with the signal's reason. */
export class CancelledError extends ZelfError {}
/** The client is closed. */
export class ShutDownError extends ZelfError {}
/** No connection could be made, or it broke: DNS, CONNECT or CONNECTION_LOST. */
export class ConnectionError extends ZelfError {}
/** The server is not trusted, or speaks no usable TLS: TLS or PIN_MISMATCH. */
export class TlsError extends ZelfError {}
/** A time limit has passed. */
export class TimeoutError extends ZelfError {}
/** The proxy refused. */
export class ProxyError extends ZelfError {}
/** The answer is unusable: BAD_RESPONSE, RESPONSE_TOO_LARGE or REDIRECTED. */
export class BadResponseError extends ZelfError {}
/** The server does not accept the origin. */
export class RejectedOriginError extends ZelfError {}
/** Too many requests: see retryAfterMs. */
export class RateLimitedError extends ZelfError {}
/** The server failed. */
export class ServerError extends ZelfError {}
/** The server returned a session that does not serve. */
export class SessionError extends ZelfError {}

const classes: ReadonlyMap<number, typeof ZelfError> = new Map<number, typeof ZelfError>([
  [constants.ZELF_ERROR_INVALID_ARGUMENT, InvalidArgumentError],
  [constants.ZELF_ERROR_INVALID_CONFIG, InvalidConfigError],
  [constants.ZELF_ERROR_SYSTEM, SystemError],
  [constants.ZELF_ERROR_CANCELLED, CancelledError],
  [constants.ZELF_ERROR_SHUT_DOWN, ShutDownError],
  [constants.ZELF_ERROR_DNS, ConnectionError],
  [constants.ZELF_ERROR_CONNECT, ConnectionError],
  [constants.ZELF_ERROR_CONNECTION_LOST, ConnectionError],
  [constants.ZELF_ERROR_TLS, TlsError],
  [constants.ZELF_ERROR_PIN_MISMATCH, TlsError],
  [constants.ZELF_ERROR_TIMEOUT, TimeoutError],
  [constants.ZELF_ERROR_PROXY, ProxyError],
  [constants.ZELF_ERROR_BAD_RESPONSE, BadResponseError],
  [constants.ZELF_ERROR_RESPONSE_TOO_LARGE, BadResponseError],
  [constants.ZELF_ERROR_REDIRECTED, BadResponseError],
  [constants.ZELF_ERROR_REJECTED_ORIGIN, RejectedOriginError],
  [constants.ZELF_ERROR_RATE_LIMITED, RateLimitedError],
  [constants.ZELF_ERROR_SERVER, ServerError],
  [constants.ZELF_ERROR_SESSION_NOT_ACTIVE, SessionError],
  [constants.ZELF_ERROR_SESSION_EXPIRED, SessionError],
  [constants.ZELF_ERROR_FOREIGN_SESSION, SessionError],
  [constants.ZELF_ERROR_GHOST_SESSION, SessionError],
  [constants.ZELF_ERROR_OTHER_OPTIONS, SessionError],
]);

// Not enumerable, like the name of a built-in error.
for (const kind of [ZelfError, ...classes.values()]) {
  Object.defineProperty(kind.prototype, "name", { value: kind.name, configurable: true, writable: true });
}

/** Makes an error of the class that belongs to the status. A newer library may have more of them. */
export function errorOf(message: string, details: ErrorDetails): ZelfError {
  return new (classes.get(details.status) ?? ZelfError)(message, details);
}

/** Copies an error of the library, and frees it. */
export function takeError(error: Pointer | null): ZelfError {
  const result = errorOf(zelf.zelf_error_message(error) ?? "the library told no error", {
    status: zelf.zelf_error_status(error),
    httpStatus: zelf.zelf_error_http_status(error) || undefined,
    serverMessage: zelf.zelf_error_server_message(error) ?? undefined,
    retryable: zelf.zelf_error_is_retryable(error),
    retryAfterMs: Number(zelf.zelf_error_retry_after_ms(error)) || undefined,
  });
  zelf.zelf_error_free(error);
  return result;
}

/** Throws if a function that only returns a status failed. */
export function check(status: number): void {
  if (status !== constants.ZELF_OK) {
    throw errorOf(zelf.zelf_status_message(status) ?? "unknown status", { status });
  }
}

/** The error of an object that was closed. */
export function closed(name: string): ZelfError {
  return errorOf(`the ${name} is closed`, { status: constants.ZELF_ERROR_INVALID_ARGUMENT });
}
