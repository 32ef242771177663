// Written by bindings/generate from include/zelf.h

/** An address. koffi takes null for NULL. */
export type Pointer = bigint;

/**
 * The place where a function puts an address or a size.
 *
 * koffi passes the memory of a typed array. It would copy the elements of another array, with
 * functions of Node-API that fail after worker.terminate().
 */
export type Out = BigUint64Array;

/** The constants of the header. */
export const constants = {
  ZELF_VERSION: "0.1.0",
  ZELF_VERSION_MAJOR: 0,
  ZELF_VERSION_MINOR: 1,
  ZELF_VERSION_PATCH: 0,
  ZELF_OK: 0,
  ZELF_ERROR_INVALID_ARGUMENT: 1,
  ZELF_ERROR_INVALID_CONFIG: 2,
  ZELF_ERROR_PANIC: 3,
  ZELF_ERROR_SYSTEM: 4,
  ZELF_ERROR_CANCELLED: 5,
  ZELF_ERROR_SHUT_DOWN: 6,
  ZELF_ERROR_FORKED: 7,
  ZELF_ERROR_DNS: 10,
  ZELF_ERROR_CONNECT: 11,
  ZELF_ERROR_TLS: 12,
  ZELF_ERROR_TIMEOUT: 13,
  ZELF_ERROR_CONNECTION_LOST: 14,
  ZELF_ERROR_PIN_MISMATCH: 15,
  ZELF_ERROR_PROXY: 16,
  ZELF_ERROR_BAD_RESPONSE: 20,
  ZELF_ERROR_RESPONSE_TOO_LARGE: 21,
  ZELF_ERROR_REDIRECTED: 22,
  ZELF_ERROR_REJECTED_ORIGIN: 30,
  ZELF_ERROR_UNAUTHORIZED: 31,
  ZELF_ERROR_FORBIDDEN: 32,
  ZELF_ERROR_BAD_REQUEST: 33,
  ZELF_ERROR_VALIDATION: 34,
  ZELF_ERROR_NOT_FOUND: 35,
  ZELF_ERROR_STARTING_UP: 36,
  ZELF_ERROR_LIMIT_EXCEEDED: 37,
  ZELF_ERROR_SESSION_NOT_ACTIVE: 38,
  ZELF_ERROR_RATE_LIMITED: 39,
  ZELF_ERROR_SERVER: 40,
  ZELF_ERROR_UNEXPECTED_HTTP_STATUS: 41,
  ZELF_ERROR_SESSION_EXPIRED: 50,
  ZELF_ERROR_FOREIGN_SESSION: 51,
  ZELF_ERROR_GHOST_SESSION: 52,
  ZELF_ERROR_OTHER_OPTIONS: 53,
  ZELF_LOG_ERROR: 1,
  ZELF_LOG_WARNING: 2,
  ZELF_LOG_INFO: 3,
  ZELF_LOG_DEBUG: 4,
  ZELF_IDENTIFIER_SIZE: 33,
  ZELF_SESSION_TYPE_GENERAL: 0,
  ZELF_SESSION_TYPE_CREATE_WALLET: 1,
  ZELF_SESSION_TYPE_DECRYPT_WALLET: 2,
  ZELF_SESSION_TYPE_IMPORT_WALLET: 3,
  ZELF_RENEWAL_AT_EXPIRY: 0,
  ZELF_RENEWAL_NEVER_KILL: 1,
  ZELF_RENEWAL_EARLY: 2,
} as const;

/** The functions of the header, for koffi. */
export const prototypes: Record<keyof Functions, string> = {
  zelf_version: "const char *zelf_version(void)",
  zelf_status_name: "const char *zelf_status_name(int32_t status)",
  zelf_status_message: "const char *zelf_status_message(int32_t status)",
  zelf_error_status: "int32_t zelf_error_status(void *error)",
  zelf_error_message: "const char *zelf_error_message(void *error)",
  zelf_error_http_status: "int32_t zelf_error_http_status(void *error)",
  zelf_error_server_message: "const char *zelf_error_server_message(void *error)",
  zelf_error_is_retryable: "bool zelf_error_is_retryable(void *error)",
  zelf_error_retry_after_ms: "uint64_t zelf_error_retry_after_ms(void *error)",
  zelf_error_free: "void zelf_error_free(void *error)",
  zelf_config_new: "void *zelf_config_new(void)",
  zelf_config_set_base_url: "void zelf_config_set_base_url(void *config, const char *url)",
  zelf_config_set_origin: "void zelf_config_set_origin(void *config, const char *origin)",
  zelf_config_set_user_agent: "void zelf_config_set_user_agent(void *config, const char *agent)",
  zelf_config_set_timeout_ms: "void zelf_config_set_timeout_ms(void *config, uint32_t ms)",
  zelf_config_set_connect_timeout_ms: "void zelf_config_set_connect_timeout_ms(void *config, uint32_t ms)",
  zelf_config_set_max_attempts: "void zelf_config_set_max_attempts(void *config, uint32_t attempts)",
  zelf_config_set_ca_file: "void zelf_config_set_ca_file(void *config, const char *pem_path)",
  zelf_config_set_ca_pem: "void zelf_config_set_ca_pem(void *config, const char *pem, size_t length)",
  zelf_config_add_pin: "void zelf_config_add_pin(void *config, const char *spki_sha256_base64)",
  zelf_config_set_proxy: "void zelf_config_set_proxy(void *config, const char *url)",
  zelf_config_set_proxy_from_env: "void zelf_config_set_proxy_from_env(void *config, bool from_env)",
  zelf_config_set_log_callback: "void zelf_config_set_log_callback(void *config, void *callback, void *user_data, void *destroy, int32_t level)",
  zelf_config_set_dispatch: "void zelf_config_set_dispatch(void *config, bool by_host)",
  zelf_config_free: "void zelf_config_free(void *config)",
  zelf_client_new: "void *zelf_client_new(void *config, void *error)",
  zelf_client_base_url: "const char *zelf_client_base_url(void *client)",
  zelf_client_origin: "const char *zelf_client_origin(void *client)",
  zelf_client_shutdown: "int32_t zelf_client_shutdown(void *client, uint32_t timeout_ms)",
  zelf_client_descriptor: "int zelf_client_descriptor(void *client)",
  zelf_client_dispatch: "int32_t zelf_client_dispatch(void *client)",
  zelf_client_free: "void zelf_client_free(void *client)",
  zelf_identifier_derive: "int32_t zelf_identifier_derive(const char *device_id, void *out, size_t capacity)",
  zelf_identifier_random: "int32_t zelf_identifier_random(void *out, size_t capacity)",
  zelf_session_options_new: "void *zelf_session_options_new(void)",
  zelf_session_options_set_identifier: "void zelf_session_options_set_identifier(void *options, const char *identifier)",
  zelf_session_options_set_type: "void zelf_session_options_set_type(void *options, int32_t session_type)",
  zelf_session_options_set_web_extension: "void zelf_session_options_set_web_extension(void *options, bool is_web_extension)",
  zelf_session_options_set_domain: "void zelf_session_options_set_domain(void *options, const char *domain)",
  zelf_session_options_set_tag_name: "void zelf_session_options_set_tag_name(void *options, const char *tag_name)",
  zelf_session_options_set_eth_address: "void zelf_session_options_set_eth_address(void *options, const char *eth_address)",
  zelf_session_options_set_kill_session: "void zelf_session_options_set_kill_session(void *options, bool kill_session)",
  zelf_session_options_set_confirm: "void zelf_session_options_set_confirm(void *options, bool confirm)",
  zelf_session_options_free: "void zelf_session_options_free(void *options)",
  zelf_session_token: "const char *zelf_session_token(void *session)",
  zelf_session_authorization: "const char *zelf_session_authorization(void *session)",
  zelf_session_id: "const char *zelf_session_id(void *session)",
  zelf_session_identifier: "const char *zelf_session_identifier(void *session)",
  zelf_session_domain: "const char *zelf_session_domain(void *session)",
  zelf_session_tag_name: "const char *zelf_session_tag_name(void *session)",
  zelf_session_eth_address: "const char *zelf_session_eth_address(void *session)",
  zelf_session_activated_at: "int64_t zelf_session_activated_at(void *session)",
  zelf_session_expires_at: "int64_t zelf_session_expires_at(void *session)",
  zelf_session_seconds_left: "int64_t zelf_session_seconds_left(void *session)",
  zelf_session_free: "void zelf_session_free(void *session)",
  zelf_call_cancel: "void zelf_call_cancel(void *call)",
  zelf_call_free: "void zelf_call_free(void *call)",
  zelf_session_create: "void *zelf_session_create(void *client, void *options, void *error)",
  zelf_session_create_async: "void *zelf_session_create_async(void *client, void *options, void *callback, void *user_data, void *destroy, void *error)",
  zelf_provider_options_new: "void *zelf_provider_options_new(void)",
  zelf_provider_options_set_min_valid_s: "void zelf_provider_options_set_min_valid_s(void *options, uint32_t seconds)",
  zelf_provider_options_set_renewal: "void zelf_provider_options_set_renewal(void *options, int32_t renewal)",
  zelf_provider_options_set_background: "void zelf_provider_options_set_background(void *options, bool background)",
  zelf_provider_options_set_directory: "void zelf_provider_options_set_directory(void *options, const char *path)",
  zelf_provider_options_set_renewed_callback: "void zelf_provider_options_set_renewed_callback(void *options, void *callback, void *user_data, void *destroy)",
  zelf_provider_options_free: "void zelf_provider_options_free(void *options)",
  zelf_session_provider_new: "void *zelf_session_provider_new(void *client, void *options, void *provider, void *error)",
  zelf_session_provider_get: "void *zelf_session_provider_get(void *provider, void *error)",
  zelf_session_provider_get_async: "void *zelf_session_provider_get_async(void *provider, void *callback, void *user_data, void *destroy, void *error)",
  zelf_session_provider_current: "void *zelf_session_provider_current(void *provider)",
  zelf_session_provider_invalidate: "bool zelf_session_provider_invalidate(void *provider, void *rejected)",
  zelf_session_provider_invalidate_if_refused: "bool zelf_session_provider_invalidate_if_refused(void *provider, void *session, int32_t http_status, void *body, size_t length)",
  zelf_session_provider_last_error: "void *zelf_session_provider_last_error(void *provider)",
  zelf_session_provider_free: "void zelf_session_provider_free(void *provider)",
  zelf_request_new: "void *zelf_request_new(const char *method, const char *target)",
  zelf_request_set_header: "void zelf_request_set_header(void *request, const char *name, const char *value)",
  zelf_request_set_body: "void zelf_request_set_body(void *request, void *bytes, size_t length, const char *content_type)",
  zelf_request_set_timeout_ms: "void zelf_request_set_timeout_ms(void *request, uint32_t ms)",
  zelf_request_set_max_response_bytes: "void zelf_request_set_max_response_bytes(void *request, size_t bytes)",
  zelf_request_set_repeatable: "void zelf_request_set_repeatable(void *request, bool repeatable)",
  zelf_request_free: "void zelf_request_free(void *request)",
  zelf_response_http_status: "int32_t zelf_response_http_status(void *response)",
  zelf_response_header: "const char *zelf_response_header(void *response, const char *name)",
  zelf_response_body: "void *zelf_response_body(void *response, void *length)",
  zelf_response_server_message: "const char *zelf_response_server_message(void *response)",
  zelf_response_free: "void zelf_response_free(void *response)",
  zelf_session_provider_send: "void *zelf_session_provider_send(void *provider, void *request, void *error)",
  zelf_session_provider_send_async: "void *zelf_session_provider_send_async(void *provider, void *request, void *callback, void *user_data, void *destroy, void *error)",
  zelf_session_send: "void *zelf_session_send(void *client, void *session, void *request, void *error)",
  zelf_session_send_async: "void *zelf_session_send_async(void *client, void *session, void *request, void *callback, void *user_data, void *destroy, void *error)",
};

/** The functions of the header, for TypeScript. */
export interface Functions {
  zelf_version(): string | null;
  zelf_status_name(status: number): string | null;
  zelf_status_message(status: number): string | null;
  zelf_error_status(error: Pointer | null): number;
  zelf_error_message(error: Pointer | null): string | null;
  zelf_error_http_status(error: Pointer | null): number;
  zelf_error_server_message(error: Pointer | null): string | null;
  zelf_error_is_retryable(error: Pointer | null): boolean;
  zelf_error_retry_after_ms(error: Pointer | null): number | bigint;
  zelf_error_free(error: Pointer | null): void;
  zelf_config_new(): Pointer | null;
  zelf_config_set_base_url(config: Pointer | null, url: string | null): void;
  zelf_config_set_origin(config: Pointer | null, origin: string | null): void;
  zelf_config_set_user_agent(config: Pointer | null, agent: string | null): void;
  zelf_config_set_timeout_ms(config: Pointer | null, ms: number): void;
  zelf_config_set_connect_timeout_ms(config: Pointer | null, ms: number): void;
  zelf_config_set_max_attempts(config: Pointer | null, attempts: number): void;
  zelf_config_set_ca_file(config: Pointer | null, pemPath: string | null): void;
  zelf_config_set_ca_pem(config: Pointer | null, pem: string | null, length: number): void;
  zelf_config_add_pin(config: Pointer | null, spkiSha256Base64: string | null): void;
  zelf_config_set_proxy(config: Pointer | null, url: string | null): void;
  zelf_config_set_proxy_from_env(config: Pointer | null, fromEnv: boolean): void;
  zelf_config_set_log_callback(config: Pointer | null, callback: Pointer | null, userData: Pointer | null, destroy: Pointer | null, level: number): void;
  zelf_config_set_dispatch(config: Pointer | null, byHost: boolean): void;
  zelf_config_free(config: Pointer | null): void;
  zelf_client_new(config: Pointer | null, error: Out): Pointer | null;
  zelf_client_base_url(client: Pointer | null): string | null;
  zelf_client_origin(client: Pointer | null): string | null;
  zelf_client_shutdown(client: Pointer | null, timeoutMs: number): number;
  zelf_client_descriptor(client: Pointer | null): number;
  zelf_client_dispatch(client: Pointer | null): number;
  zelf_client_free(client: Pointer | null): void;
  zelf_identifier_derive(deviceId: string | null, out: Uint8Array, capacity: number): number;
  zelf_identifier_random(out: Uint8Array, capacity: number): number;
  zelf_session_options_new(): Pointer | null;
  zelf_session_options_set_identifier(options: Pointer | null, identifier: string | null): void;
  zelf_session_options_set_type(options: Pointer | null, sessionType: number): void;
  zelf_session_options_set_web_extension(options: Pointer | null, isWebExtension: boolean): void;
  zelf_session_options_set_domain(options: Pointer | null, domain: string | null): void;
  zelf_session_options_set_tag_name(options: Pointer | null, tagName: string | null): void;
  zelf_session_options_set_eth_address(options: Pointer | null, ethAddress: string | null): void;
  zelf_session_options_set_kill_session(options: Pointer | null, killSession: boolean): void;
  zelf_session_options_set_confirm(options: Pointer | null, confirm: boolean): void;
  zelf_session_options_free(options: Pointer | null): void;
  zelf_session_token(session: Pointer | null): string | null;
  zelf_session_authorization(session: Pointer | null): string | null;
  zelf_session_id(session: Pointer | null): string | null;
  zelf_session_identifier(session: Pointer | null): string | null;
  zelf_session_domain(session: Pointer | null): string | null;
  zelf_session_tag_name(session: Pointer | null): string | null;
  zelf_session_eth_address(session: Pointer | null): string | null;
  zelf_session_activated_at(session: Pointer | null): number | bigint;
  zelf_session_expires_at(session: Pointer | null): number | bigint;
  zelf_session_seconds_left(session: Pointer | null): number | bigint;
  zelf_session_free(session: Pointer | null): void;
  zelf_call_cancel(call: Pointer | null): void;
  zelf_call_free(call: Pointer | null): void;
  zelf_session_create(client: Pointer | null, options: Pointer | null, error: Out): Pointer | null;
  zelf_session_create_async(client: Pointer | null, options: Pointer | null, callback: Pointer | null, userData: Pointer | null, destroy: Pointer | null, error: Out): Pointer | null;
  zelf_provider_options_new(): Pointer | null;
  zelf_provider_options_set_min_valid_s(options: Pointer | null, seconds: number): void;
  zelf_provider_options_set_renewal(options: Pointer | null, renewal: number): void;
  zelf_provider_options_set_background(options: Pointer | null, background: boolean): void;
  zelf_provider_options_set_directory(options: Pointer | null, path: string | null): void;
  zelf_provider_options_set_renewed_callback(options: Pointer | null, callback: Pointer | null, userData: Pointer | null, destroy: Pointer | null): void;
  zelf_provider_options_free(options: Pointer | null): void;
  zelf_session_provider_new(client: Pointer | null, options: Pointer | null, provider: Pointer | null, error: Out): Pointer | null;
  zelf_session_provider_get(provider: Pointer | null, error: Out): Pointer | null;
  zelf_session_provider_get_async(provider: Pointer | null, callback: Pointer | null, userData: Pointer | null, destroy: Pointer | null, error: Out): Pointer | null;
  zelf_session_provider_current(provider: Pointer | null): Pointer | null;
  zelf_session_provider_invalidate(provider: Pointer | null, rejected: Pointer | null): boolean;
  zelf_session_provider_invalidate_if_refused(provider: Pointer | null, session: Pointer | null, httpStatus: number, body: Uint8Array | null, length: number): boolean;
  zelf_session_provider_last_error(provider: Pointer | null): Pointer | null;
  zelf_session_provider_free(provider: Pointer | null): void;
  zelf_request_new(method: string | null, target: string | null): Pointer | null;
  zelf_request_set_header(request: Pointer | null, name: string | null, value: string | null): void;
  zelf_request_set_body(request: Pointer | null, bytes: Uint8Array | null, length: number, contentType: string | null): void;
  zelf_request_set_timeout_ms(request: Pointer | null, ms: number): void;
  zelf_request_set_max_response_bytes(request: Pointer | null, bytes: number): void;
  zelf_request_set_repeatable(request: Pointer | null, repeatable: boolean): void;
  zelf_request_free(request: Pointer | null): void;
  zelf_response_http_status(response: Pointer | null): number;
  zelf_response_header(response: Pointer | null, name: string | null): string | null;
  zelf_response_body(response: Pointer | null, length: Out): Pointer | null;
  zelf_response_server_message(response: Pointer | null): string | null;
  zelf_response_free(response: Pointer | null): void;
  zelf_session_provider_send(provider: Pointer | null, request: Pointer | null, error: Out): Pointer | null;
  zelf_session_provider_send_async(provider: Pointer | null, request: Pointer | null, callback: Pointer | null, userData: Pointer | null, destroy: Pointer | null, error: Out): Pointer | null;
  zelf_session_send(client: Pointer | null, session: Pointer | null, request: Pointer | null, error: Out): Pointer | null;
  zelf_session_send_async(client: Pointer | null, session: Pointer | null, request: Pointer | null, callback: Pointer | null, userData: Pointer | null, destroy: Pointer | null, error: Out): Pointer | null;
}
