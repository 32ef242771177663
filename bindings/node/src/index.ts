/** Zelf session tokens, and requests with them. */

export type { CallOptions } from "./calls";
export { Client, type ClientOptions } from "./client";
export {
  BadResponseError, CancelledError, ConnectionError, InvalidArgumentError, InvalidConfigError, ProxyError,
  RateLimitedError, RejectedOriginError, ServerError, SessionError, ShutDownError, SystemError, TimeoutError,
  TlsError, ZelfError, type ErrorDetails,
} from "./errors";
export { libraryVersion } from "./native";
export { Renewal, SessionProvider, type ProviderOptions } from "./provider";
export { ApiResponse, type ApiRequest } from "./request";
export { deriveIdentifier, randomIdentifier, Session, SessionType, type SessionOptions } from "./session";
