# frozen_string_literal: true

# Written by bindings/generate from include/zelf.h

module Zelf
  # The functions and constants of include/zelf.h.
  module ABI
    ZELF_VERSION = "0.1.0"
    ZELF_VERSION_MAJOR = 0
    ZELF_VERSION_MINOR = 1
    ZELF_VERSION_PATCH = 0
    ZELF_OK = 0
    ZELF_ERROR_INVALID_ARGUMENT = 1
    ZELF_ERROR_INVALID_CONFIG = 2
    ZELF_ERROR_PANIC = 3
    ZELF_ERROR_SYSTEM = 4
    ZELF_ERROR_CANCELLED = 5
    ZELF_ERROR_SHUT_DOWN = 6
    ZELF_ERROR_FORKED = 7
    ZELF_ERROR_DNS = 10
    ZELF_ERROR_CONNECT = 11
    ZELF_ERROR_TLS = 12
    ZELF_ERROR_TIMEOUT = 13
    ZELF_ERROR_CONNECTION_LOST = 14
    ZELF_ERROR_PIN_MISMATCH = 15
    ZELF_ERROR_PROXY = 16
    ZELF_ERROR_BAD_RESPONSE = 20
    ZELF_ERROR_RESPONSE_TOO_LARGE = 21
    ZELF_ERROR_REDIRECTED = 22
    ZELF_ERROR_REJECTED_ORIGIN = 30
    ZELF_ERROR_UNAUTHORIZED = 31
    ZELF_ERROR_FORBIDDEN = 32
    ZELF_ERROR_BAD_REQUEST = 33
    ZELF_ERROR_VALIDATION = 34
    ZELF_ERROR_NOT_FOUND = 35
    ZELF_ERROR_STARTING_UP = 36
    ZELF_ERROR_LIMIT_EXCEEDED = 37
    ZELF_ERROR_SESSION_NOT_ACTIVE = 38
    ZELF_ERROR_RATE_LIMITED = 39
    ZELF_ERROR_SERVER = 40
    ZELF_ERROR_UNEXPECTED_HTTP_STATUS = 41
    ZELF_ERROR_SESSION_EXPIRED = 50
    ZELF_ERROR_FOREIGN_SESSION = 51
    ZELF_ERROR_GHOST_SESSION = 52
    ZELF_ERROR_OTHER_OPTIONS = 53
    ZELF_LOG_ERROR = 1
    ZELF_LOG_WARNING = 2
    ZELF_LOG_INFO = 3
    ZELF_LOG_DEBUG = 4
    ZELF_IDENTIFIER_SIZE = 33
    ZELF_SESSION_TYPE_GENERAL = 0
    ZELF_SESSION_TYPE_CREATE_WALLET = 1
    ZELF_SESSION_TYPE_DECRYPT_WALLET = 2
    ZELF_SESSION_TYPE_IMPORT_WALLET = 3
    ZELF_RENEWAL_AT_EXPIRY = 0
    ZELF_RENEWAL_NEVER_KILL = 1
    ZELF_RENEWAL_EARLY = 2

    # Each callback: the types of its parameters.
    CALLBACKS = {
      zelf_log_callback: [:int32, :string, :pointer],
      zelf_destroy_callback: [:pointer],
      zelf_session_callback: [:pointer, :pointer, :pointer],
      zelf_renewed_callback: [:pointer, :pointer],
      zelf_response_callback: [:pointer, :pointer, :pointer],
    }.freeze

    # Each function: the types of its parameters, and of its result.
    FUNCTIONS = {
      zelf_version: [[], :string],
      zelf_status_name: [[:int32], :string],
      zelf_status_message: [[:int32], :string],
      zelf_error_status: [[:pointer], :int32],
      zelf_error_message: [[:pointer], :string],
      zelf_error_http_status: [[:pointer], :int32],
      zelf_error_server_message: [[:pointer], :string],
      zelf_error_is_retryable: [[:pointer], :bool],
      zelf_error_retry_after_ms: [[:pointer], :uint64],
      zelf_error_free: [[:pointer], :void],
      zelf_config_new: [[], :pointer],
      zelf_config_set_base_url: [[:pointer, :string], :void],
      zelf_config_set_origin: [[:pointer, :string], :void],
      zelf_config_set_user_agent: [[:pointer, :string], :void],
      zelf_config_set_timeout_ms: [[:pointer, :uint32], :void],
      zelf_config_set_connect_timeout_ms: [[:pointer, :uint32], :void],
      zelf_config_set_max_attempts: [[:pointer, :uint32], :void],
      zelf_config_set_ca_file: [[:pointer, :string], :void],
      zelf_config_set_ca_pem: [[:pointer, :buffer_in, :size_t], :void],
      zelf_config_add_pin: [[:pointer, :string], :void],
      zelf_config_set_proxy: [[:pointer, :string], :void],
      zelf_config_set_proxy_from_env: [[:pointer, :bool], :void],
      zelf_config_set_log_callback: [[:pointer, :pointer, :pointer, :pointer, :int32], :void],
      zelf_config_set_dispatch: [[:pointer, :bool], :void],
      zelf_config_free: [[:pointer], :void],
      zelf_client_new: [[:pointer, :pointer], :pointer],
      zelf_client_base_url: [[:pointer], :string],
      zelf_client_origin: [[:pointer], :string],
      zelf_client_shutdown: [[:pointer, :uint32], :int32],
      zelf_client_descriptor: [[:pointer], :int],
      zelf_client_dispatch: [[:pointer], :int32],
      zelf_client_free: [[:pointer], :void],
      zelf_identifier_derive: [[:string, :buffer_out, :size_t], :int32],
      zelf_identifier_random: [[:buffer_out, :size_t], :int32],
      zelf_session_options_new: [[], :pointer],
      zelf_session_options_set_identifier: [[:pointer, :string], :void],
      zelf_session_options_set_type: [[:pointer, :int32], :void],
      zelf_session_options_set_web_extension: [[:pointer, :bool], :void],
      zelf_session_options_set_domain: [[:pointer, :string], :void],
      zelf_session_options_set_tag_name: [[:pointer, :string], :void],
      zelf_session_options_set_eth_address: [[:pointer, :string], :void],
      zelf_session_options_set_kill_session: [[:pointer, :bool], :void],
      zelf_session_options_set_confirm: [[:pointer, :bool], :void],
      zelf_session_options_free: [[:pointer], :void],
      zelf_session_token: [[:pointer], :string],
      zelf_session_authorization: [[:pointer], :string],
      zelf_session_id: [[:pointer], :string],
      zelf_session_identifier: [[:pointer], :string],
      zelf_session_domain: [[:pointer], :string],
      zelf_session_tag_name: [[:pointer], :string],
      zelf_session_eth_address: [[:pointer], :string],
      zelf_session_activated_at: [[:pointer], :int64],
      zelf_session_expires_at: [[:pointer], :int64],
      zelf_session_seconds_left: [[:pointer], :int64],
      zelf_session_free: [[:pointer], :void],
      zelf_call_cancel: [[:pointer], :void],
      zelf_call_free: [[:pointer], :void],
      zelf_session_create: [[:pointer, :pointer, :pointer], :pointer],
      zelf_session_create_async: [[:pointer, :pointer, :pointer, :pointer, :pointer, :pointer], :pointer],
      zelf_provider_options_new: [[], :pointer],
      zelf_provider_options_set_min_valid_s: [[:pointer, :uint32], :void],
      zelf_provider_options_set_renewal: [[:pointer, :int32], :void],
      zelf_provider_options_set_background: [[:pointer, :bool], :void],
      zelf_provider_options_set_directory: [[:pointer, :string], :void],
      zelf_provider_options_set_renewed_callback: [[:pointer, :pointer, :pointer, :pointer], :void],
      zelf_provider_options_free: [[:pointer], :void],
      zelf_session_provider_new: [[:pointer, :pointer, :pointer, :pointer], :pointer],
      zelf_session_provider_get: [[:pointer, :pointer], :pointer],
      zelf_session_provider_get_async: [[:pointer, :pointer, :pointer, :pointer, :pointer], :pointer],
      zelf_session_provider_current: [[:pointer], :pointer],
      zelf_session_provider_invalidate: [[:pointer, :pointer], :bool],
      zelf_session_provider_invalidate_if_refused: [[:pointer, :pointer, :int32, :buffer_in, :size_t], :bool],
      zelf_session_provider_last_error: [[:pointer], :pointer],
      zelf_session_provider_free: [[:pointer], :void],
      zelf_request_new: [[:string, :string], :pointer],
      zelf_request_set_header: [[:pointer, :string, :string], :void],
      zelf_request_set_body: [[:pointer, :buffer_in, :size_t, :string], :void],
      zelf_request_set_timeout_ms: [[:pointer, :uint32], :void],
      zelf_request_set_max_response_bytes: [[:pointer, :size_t], :void],
      zelf_request_set_repeatable: [[:pointer, :bool], :void],
      zelf_request_free: [[:pointer], :void],
      zelf_response_http_status: [[:pointer], :int32],
      zelf_response_header: [[:pointer, :string], :string],
      zelf_response_body: [[:pointer, :pointer], :pointer],
      zelf_response_server_message: [[:pointer], :string],
      zelf_response_free: [[:pointer], :void],
      zelf_session_provider_send: [[:pointer, :pointer, :pointer], :pointer],
      zelf_session_provider_send_async: [[:pointer, :pointer, :pointer, :pointer, :pointer, :pointer], :pointer],
      zelf_session_send: [[:pointer, :pointer, :pointer, :pointer], :pointer],
      zelf_session_send_async: [[:pointer, :pointer, :pointer, :pointer, :pointer, :pointer, :pointer], :pointer],
    }.freeze
  end
end
