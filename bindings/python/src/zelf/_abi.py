# Written by bindings/generate from include/zelf.h
"""The functions and constants of the C library, for ctypes."""

from __future__ import annotations

import ctypes
import enum
from typing import Any, Callable, Final, NewType, Optional

ZELF_VERSION: Final = "0.1.0"
ZELF_VERSION_MAJOR: Final = 0
ZELF_VERSION_MINOR: Final = 1
ZELF_VERSION_PATCH: Final = 0
ZELF_OK: Final = 0
ZELF_ERROR_INVALID_ARGUMENT: Final = 1
ZELF_ERROR_INVALID_CONFIG: Final = 2
ZELF_ERROR_PANIC: Final = 3
ZELF_ERROR_SYSTEM: Final = 4
ZELF_ERROR_CANCELLED: Final = 5
ZELF_ERROR_SHUT_DOWN: Final = 6
ZELF_ERROR_FORKED: Final = 7
ZELF_ERROR_DNS: Final = 10
ZELF_ERROR_CONNECT: Final = 11
ZELF_ERROR_TLS: Final = 12
ZELF_ERROR_TIMEOUT: Final = 13
ZELF_ERROR_CONNECTION_LOST: Final = 14
ZELF_ERROR_PIN_MISMATCH: Final = 15
ZELF_ERROR_PROXY: Final = 16
ZELF_ERROR_BAD_RESPONSE: Final = 20
ZELF_ERROR_RESPONSE_TOO_LARGE: Final = 21
ZELF_ERROR_REDIRECTED: Final = 22
ZELF_ERROR_REJECTED_ORIGIN: Final = 30
ZELF_ERROR_UNAUTHORIZED: Final = 31
ZELF_ERROR_FORBIDDEN: Final = 32
ZELF_ERROR_BAD_REQUEST: Final = 33
ZELF_ERROR_VALIDATION: Final = 34
ZELF_ERROR_NOT_FOUND: Final = 35
ZELF_ERROR_STARTING_UP: Final = 36
ZELF_ERROR_LIMIT_EXCEEDED: Final = 37
ZELF_ERROR_SESSION_NOT_ACTIVE: Final = 38
ZELF_ERROR_RATE_LIMITED: Final = 39
ZELF_ERROR_SERVER: Final = 40
ZELF_ERROR_UNEXPECTED_HTTP_STATUS: Final = 41
ZELF_ERROR_SESSION_EXPIRED: Final = 50
ZELF_ERROR_FOREIGN_SESSION: Final = 51
ZELF_ERROR_GHOST_SESSION: Final = 52
ZELF_ERROR_OTHER_OPTIONS: Final = 53
ZELF_LOG_ERROR: Final = 1
ZELF_LOG_WARNING: Final = 2
ZELF_LOG_INFO: Final = 3
ZELF_LOG_DEBUG: Final = 4
ZELF_IDENTIFIER_SIZE: Final = 33
ZELF_SESSION_TYPE_GENERAL: Final = 0
ZELF_SESSION_TYPE_CREATE_WALLET: Final = 1
ZELF_SESSION_TYPE_DECRYPT_WALLET: Final = 2
ZELF_SESSION_TYPE_IMPORT_WALLET: Final = 3
ZELF_RENEWAL_AT_EXPIRY: Final = 0
ZELF_RENEWAL_NEVER_KILL: Final = 1
ZELF_RENEWAL_EARLY: Final = 2


class Status(enum.IntEnum):
    """The result of a call."""

    OK = 0
    """Success."""

    INVALID_ARGUMENT = 1
    """An argument is unusable: NULL, not UTF-8, out of range or forbidden."""

    INVALID_CONFIG = 2
    """A setting of the configuration is unusable."""

    PANIC = 3
    """The library has a bug."""

    SYSTEM = 4
    """The operating system refused something."""

    CANCELLED = 5
    """The call was cancelled: by zelf_call_cancel, zelf_client_shutdown or zelf_client_free, or a callback ended the thread that does its I/O."""

    SHUT_DOWN = 6
    """The client has been shut down and takes no more calls."""

    FORKED = 7
    """The process is a forked child, and the client is bound to its parent."""

    DNS = 10
    """The name of the server or proxy could not be resolved."""

    CONNECT = 11
    """No connection to the server or proxy could be made, or a SOCKS proxy could not reach the server."""

    TLS = 12
    """No secure connection could be made."""

    TIMEOUT = 13
    """A time limit has passed: that of the call, of connecting, or the server's or proxy's (HTTP 408)."""

    CONNECTION_LOST = 14
    """The connection broke before the whole answer arrived."""

    PIN_MISMATCH = 15
    """The server's certificate is trusted, but its key is not pinned (zelf_config_add_pin)."""

    PROXY = 16
    """The proxy refused, wants other credentials (HTTP 407), or does not speak its protocol."""

    BAD_RESPONSE = 20
    """The answer is not a session: not HTTP, not JSON, no token, or a token that no header can carry."""

    RESPONSE_TOO_LARGE = 21
    """The answer is too large (64 KiB for a session) or has too many headers."""

    REDIRECTED = 22
    """The server redirects."""

    REJECTED_ORIGIN = 30
    """HTTP 403 "rejected": the server does not accept the origin."""

    UNAUTHORIZED = 31
    """HTTP 401, except "Invalid session": the server wants a token for this path."""

    FORBIDDEN = 32
    """HTTP 403, except "rejected", "Session is not active" and "... limit exceeded": for example from a firewall in front of the server."""

    BAD_REQUEST = 33
    """HTTP 400, 413, 415 or 431: the server cannot read the request."""

    VALIDATION = 34
    """HTTP 409 or 422: the server refuses a value."""

    NOT_FOUND = 35
    """HTTP 404, except the text "Not Found": there is no session API at this address."""

    STARTING_UP = 36
    """The server answered 404 "Not Found" until the time limit: it is starting, or the path does not exist."""

    LIMIT_EXCEEDED = 37
    """HTTP 401 "Invalid session" or 403 "... limit exceeded": the session's quota is used up."""

    SESSION_NOT_ACTIVE = 38
    """HTTP 403 "Session is not active": the session has ended on the server."""

    RATE_LIMITED = 39
    """HTTP 429 from the server or proxy: too many requests (see zelf_error_retry_after_ms)."""

    SERVER = 40
    """HTTP 5xx, except 501, 505 and 511: the server or a proxy before it failed."""

    UNEXPECTED_HTTP_STATUS = 41
    """An HTTP status that the session API does not have."""

    SESSION_EXPIRED = 50
    """The server returned a session that has expired by the server's own clock."""

    FOREIGN_SESSION = 51
    """The server returned the session of another identifier."""

    GHOST_SESSION = 52
    """The server returned sessions that do not exist."""

    OTHER_OPTIONS = 53
    """The server returned a session with another tag name, domain or Ethereum address."""


class SessionType(enum.IntEnum):
    """The purpose of a session."""

    GENERAL = 0
    """Anything."""

    CREATE_WALLET = 1
    """Create a wallet."""

    DECRYPT_WALLET = 2
    """Decrypt a wallet."""

    IMPORT_WALLET = 3
    """Import a wallet."""


class Renewal(enum.IntEnum):
    """When a provider renews its session, and whether it may end the old one."""

    AT_EXPIRY = 0
    """Renews when the session has less than min_valid left."""

    NEVER_KILL = 1
    """Renews without killSession."""

    EARLY = 2
    """Replaces the session with killSession before its end: by a minute, or a tenth of its life if that is shorter."""


zelf_error = NewType("zelf_error", int)
zelf_config = NewType("zelf_config", int)
zelf_client = NewType("zelf_client", int)
zelf_session_options = NewType("zelf_session_options", int)
zelf_session = NewType("zelf_session", int)
zelf_call = NewType("zelf_call", int)
zelf_provider_options = NewType("zelf_provider_options", int)
zelf_session_provider = NewType("zelf_session_provider", int)
zelf_request = NewType("zelf_request", int)
zelf_response = NewType("zelf_response", int)
zelf_log_callback = ctypes.CFUNCTYPE(
    None, ctypes.c_int32, ctypes.c_char_p, ctypes.c_void_p
)
zelf_destroy_callback = ctypes.CFUNCTYPE(
    None, ctypes.c_void_p
)
zelf_session_callback = ctypes.CFUNCTYPE(
    None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p
)
zelf_renewed_callback = ctypes.CFUNCTYPE(
    None, ctypes.c_void_p, ctypes.c_void_p
)
zelf_response_callback = ctypes.CFUNCTYPE(
    None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p
)


class Functions:
    """The functions of a loaded library."""

    zelf_version: Callable[
        [], Optional[bytes]
    ]
    zelf_status_name: Callable[
        [int], Optional[bytes]
    ]
    zelf_status_message: Callable[
        [int], Optional[bytes]
    ]
    zelf_error_status: Callable[
        [Optional[zelf_error]], int
    ]
    zelf_error_message: Callable[
        [Optional[zelf_error]], Optional[bytes]
    ]
    zelf_error_http_status: Callable[
        [Optional[zelf_error]], int
    ]
    zelf_error_server_message: Callable[
        [Optional[zelf_error]], Optional[bytes]
    ]
    zelf_error_is_retryable: Callable[
        [Optional[zelf_error]], bool
    ]
    zelf_error_retry_after_ms: Callable[
        [Optional[zelf_error]], int
    ]
    zelf_error_free: Callable[
        [Optional[zelf_error]], None
    ]
    zelf_config_new: Callable[
        [], Optional[zelf_config]
    ]
    zelf_config_set_base_url: Callable[
        [Optional[zelf_config], Optional[bytes]], None
    ]
    zelf_config_set_origin: Callable[
        [Optional[zelf_config], Optional[bytes]], None
    ]
    zelf_config_set_user_agent: Callable[
        [Optional[zelf_config], Optional[bytes]], None
    ]
    zelf_config_set_timeout_ms: Callable[
        [Optional[zelf_config], int], None
    ]
    zelf_config_set_connect_timeout_ms: Callable[
        [Optional[zelf_config], int], None
    ]
    zelf_config_set_max_attempts: Callable[
        [Optional[zelf_config], int], None
    ]
    zelf_config_set_ca_file: Callable[
        [Optional[zelf_config], Optional[bytes]], None
    ]
    zelf_config_set_ca_pem: Callable[
        [Optional[zelf_config], Optional[bytes], int], None
    ]
    zelf_config_add_pin: Callable[
        [Optional[zelf_config], Optional[bytes]], None
    ]
    zelf_config_set_proxy: Callable[
        [Optional[zelf_config], Optional[bytes]], None
    ]
    zelf_config_set_proxy_from_env: Callable[
        [Optional[zelf_config], bool], None
    ]
    zelf_config_set_log_callback: Callable[
        [Optional[zelf_config], Any, Optional[int], Any, int], None
    ]
    zelf_config_set_dispatch: Callable[
        [Optional[zelf_config], bool], None
    ]
    zelf_config_free: Callable[
        [Optional[zelf_config]], None
    ]
    zelf_client_new: Callable[
        [Optional[zelf_config], Any], Optional[zelf_client]
    ]
    zelf_client_base_url: Callable[
        [Optional[zelf_client]], Optional[bytes]
    ]
    zelf_client_origin: Callable[
        [Optional[zelf_client]], Optional[bytes]
    ]
    zelf_client_shutdown: Callable[
        [Optional[zelf_client], int], int
    ]
    zelf_client_descriptor: Callable[
        [Optional[zelf_client]], int
    ]
    zelf_client_dispatch: Callable[
        [Optional[zelf_client]], int
    ]
    zelf_client_free: Callable[
        [Optional[zelf_client]], None
    ]
    zelf_identifier_derive: Callable[
        [Optional[bytes], Any, int], int
    ]
    zelf_identifier_random: Callable[
        [Any, int], int
    ]
    zelf_session_options_new: Callable[
        [], Optional[zelf_session_options]
    ]
    zelf_session_options_set_identifier: Callable[
        [Optional[zelf_session_options], Optional[bytes]], None
    ]
    zelf_session_options_set_type: Callable[
        [Optional[zelf_session_options], int], None
    ]
    zelf_session_options_set_web_extension: Callable[
        [Optional[zelf_session_options], bool], None
    ]
    zelf_session_options_set_domain: Callable[
        [Optional[zelf_session_options], Optional[bytes]], None
    ]
    zelf_session_options_set_tag_name: Callable[
        [Optional[zelf_session_options], Optional[bytes]], None
    ]
    zelf_session_options_set_eth_address: Callable[
        [Optional[zelf_session_options], Optional[bytes]], None
    ]
    zelf_session_options_set_kill_session: Callable[
        [Optional[zelf_session_options], bool], None
    ]
    zelf_session_options_set_confirm: Callable[
        [Optional[zelf_session_options], bool], None
    ]
    zelf_session_options_free: Callable[
        [Optional[zelf_session_options]], None
    ]
    zelf_session_token: Callable[
        [Optional[zelf_session]], Optional[bytes]
    ]
    zelf_session_authorization: Callable[
        [Optional[zelf_session]], Optional[bytes]
    ]
    zelf_session_id: Callable[
        [Optional[zelf_session]], Optional[bytes]
    ]
    zelf_session_identifier: Callable[
        [Optional[zelf_session]], Optional[bytes]
    ]
    zelf_session_domain: Callable[
        [Optional[zelf_session]], Optional[bytes]
    ]
    zelf_session_tag_name: Callable[
        [Optional[zelf_session]], Optional[bytes]
    ]
    zelf_session_eth_address: Callable[
        [Optional[zelf_session]], Optional[bytes]
    ]
    zelf_session_activated_at: Callable[
        [Optional[zelf_session]], int
    ]
    zelf_session_expires_at: Callable[
        [Optional[zelf_session]], int
    ]
    zelf_session_seconds_left: Callable[
        [Optional[zelf_session]], int
    ]
    zelf_session_free: Callable[
        [Optional[zelf_session]], None
    ]
    zelf_call_cancel: Callable[
        [Optional[zelf_call]], None
    ]
    zelf_call_free: Callable[
        [Optional[zelf_call]], None
    ]
    zelf_session_create: Callable[
        [Optional[zelf_client], Optional[zelf_session_options], Any], Optional[zelf_session]
    ]
    zelf_session_create_async: Callable[
        [Optional[zelf_client], Optional[zelf_session_options], Any, Optional[int], Any, Any], Optional[zelf_call]
    ]
    zelf_provider_options_new: Callable[
        [], Optional[zelf_provider_options]
    ]
    zelf_provider_options_set_min_valid_s: Callable[
        [Optional[zelf_provider_options], int], None
    ]
    zelf_provider_options_set_renewal: Callable[
        [Optional[zelf_provider_options], int], None
    ]
    zelf_provider_options_set_background: Callable[
        [Optional[zelf_provider_options], bool], None
    ]
    zelf_provider_options_set_directory: Callable[
        [Optional[zelf_provider_options], Optional[bytes]], None
    ]
    zelf_provider_options_set_renewed_callback: Callable[
        [Optional[zelf_provider_options], Any, Optional[int], Any], None
    ]
    zelf_provider_options_free: Callable[
        [Optional[zelf_provider_options]], None
    ]
    zelf_session_provider_new: Callable[
        [Optional[zelf_client], Optional[zelf_session_options], Optional[zelf_provider_options], Any], Optional[zelf_session_provider]
    ]
    zelf_session_provider_get: Callable[
        [Optional[zelf_session_provider], Any], Optional[zelf_session]
    ]
    zelf_session_provider_get_async: Callable[
        [Optional[zelf_session_provider], Any, Optional[int], Any, Any], Optional[zelf_call]
    ]
    zelf_session_provider_current: Callable[
        [Optional[zelf_session_provider]], Optional[zelf_session]
    ]
    zelf_session_provider_invalidate: Callable[
        [Optional[zelf_session_provider], Optional[zelf_session]], bool
    ]
    zelf_session_provider_invalidate_if_refused: Callable[
        [Optional[zelf_session_provider], Optional[zelf_session], int, Any, int], bool
    ]
    zelf_session_provider_last_error: Callable[
        [Optional[zelf_session_provider]], Optional[zelf_error]
    ]
    zelf_session_provider_free: Callable[
        [Optional[zelf_session_provider]], None
    ]
    zelf_request_new: Callable[
        [Optional[bytes], Optional[bytes]], Optional[zelf_request]
    ]
    zelf_request_set_header: Callable[
        [Optional[zelf_request], Optional[bytes], Optional[bytes]], None
    ]
    zelf_request_set_body: Callable[
        [Optional[zelf_request], Any, int, Optional[bytes]], None
    ]
    zelf_request_set_timeout_ms: Callable[
        [Optional[zelf_request], int], None
    ]
    zelf_request_set_max_response_bytes: Callable[
        [Optional[zelf_request], int], None
    ]
    zelf_request_set_repeatable: Callable[
        [Optional[zelf_request], bool], None
    ]
    zelf_request_free: Callable[
        [Optional[zelf_request]], None
    ]
    zelf_response_http_status: Callable[
        [Optional[zelf_response]], int
    ]
    zelf_response_header: Callable[
        [Optional[zelf_response], Optional[bytes]], Optional[bytes]
    ]
    zelf_response_body: Callable[
        [Optional[zelf_response], Any], Any
    ]
    zelf_response_server_message: Callable[
        [Optional[zelf_response]], Optional[bytes]
    ]
    zelf_response_free: Callable[
        [Optional[zelf_response]], None
    ]
    zelf_session_provider_send: Callable[
        [Optional[zelf_session_provider], Optional[zelf_request], Any], Optional[zelf_response]
    ]
    zelf_session_provider_send_async: Callable[
        [Optional[zelf_session_provider], Optional[zelf_request], Any, Optional[int], Any, Any], Optional[zelf_call]
    ]
    zelf_session_send: Callable[
        [Optional[zelf_client], Optional[zelf_session], Optional[zelf_request], Any], Optional[zelf_response]
    ]
    zelf_session_send_async: Callable[
        [Optional[zelf_client], Optional[zelf_session], Optional[zelf_request], Any, Optional[int], Any, Any], Optional[zelf_call]
    ]

    def __init__(self, library: ctypes.CDLL) -> None:
        for name, (returns, *parameters) in TABLE.items():
            function = getattr(library, name)
            function.restype = returns
            function.argtypes = parameters
            setattr(self, name, function)


# What a function returns, and its parameters.
TABLE: dict[str, tuple[Any, ...]] = {
    "zelf_version": (
        ctypes.c_char_p,
    ),
    "zelf_status_name": (
        ctypes.c_char_p,
        ctypes.c_int32,
    ),
    "zelf_status_message": (
        ctypes.c_char_p,
        ctypes.c_int32,
    ),
    "zelf_error_status": (
        ctypes.c_int32,
        ctypes.c_void_p,
    ),
    "zelf_error_message": (
        ctypes.c_char_p,
        ctypes.c_void_p,
    ),
    "zelf_error_http_status": (
        ctypes.c_int32,
        ctypes.c_void_p,
    ),
    "zelf_error_server_message": (
        ctypes.c_char_p,
        ctypes.c_void_p,
    ),
    "zelf_error_is_retryable": (
        ctypes.c_bool,
        ctypes.c_void_p,
    ),
    "zelf_error_retry_after_ms": (
        ctypes.c_uint64,
        ctypes.c_void_p,
    ),
    "zelf_error_free": (
        None,
        ctypes.c_void_p,
    ),
    "zelf_config_new": (
        ctypes.c_void_p,
    ),
    "zelf_config_set_base_url": (
        None,
        ctypes.c_void_p,
        ctypes.c_char_p,
    ),
    "zelf_config_set_origin": (
        None,
        ctypes.c_void_p,
        ctypes.c_char_p,
    ),
    "zelf_config_set_user_agent": (
        None,
        ctypes.c_void_p,
        ctypes.c_char_p,
    ),
    "zelf_config_set_timeout_ms": (
        None,
        ctypes.c_void_p,
        ctypes.c_uint32,
    ),
    "zelf_config_set_connect_timeout_ms": (
        None,
        ctypes.c_void_p,
        ctypes.c_uint32,
    ),
    "zelf_config_set_max_attempts": (
        None,
        ctypes.c_void_p,
        ctypes.c_uint32,
    ),
    "zelf_config_set_ca_file": (
        None,
        ctypes.c_void_p,
        ctypes.c_char_p,
    ),
    "zelf_config_set_ca_pem": (
        None,
        ctypes.c_void_p,
        ctypes.c_char_p,
        ctypes.c_size_t,
    ),
    "zelf_config_add_pin": (
        None,
        ctypes.c_void_p,
        ctypes.c_char_p,
    ),
    "zelf_config_set_proxy": (
        None,
        ctypes.c_void_p,
        ctypes.c_char_p,
    ),
    "zelf_config_set_proxy_from_env": (
        None,
        ctypes.c_void_p,
        ctypes.c_bool,
    ),
    "zelf_config_set_log_callback": (
        None,
        ctypes.c_void_p,
        zelf_log_callback,
        ctypes.c_void_p,
        zelf_destroy_callback,
        ctypes.c_int32,
    ),
    "zelf_config_set_dispatch": (
        None,
        ctypes.c_void_p,
        ctypes.c_bool,
    ),
    "zelf_config_free": (
        None,
        ctypes.c_void_p,
    ),
    "zelf_client_new": (
        ctypes.c_void_p,
        ctypes.c_void_p,
        ctypes.POINTER(ctypes.c_void_p),
    ),
    "zelf_client_base_url": (
        ctypes.c_char_p,
        ctypes.c_void_p,
    ),
    "zelf_client_origin": (
        ctypes.c_char_p,
        ctypes.c_void_p,
    ),
    "zelf_client_shutdown": (
        ctypes.c_int32,
        ctypes.c_void_p,
        ctypes.c_uint32,
    ),
    "zelf_client_descriptor": (
        ctypes.c_int,
        ctypes.c_void_p,
    ),
    "zelf_client_dispatch": (
        ctypes.c_int32,
        ctypes.c_void_p,
    ),
    "zelf_client_free": (
        None,
        ctypes.c_void_p,
    ),
    "zelf_identifier_derive": (
        ctypes.c_int32,
        ctypes.c_char_p,
        ctypes.c_char_p,
        ctypes.c_size_t,
    ),
    "zelf_identifier_random": (
        ctypes.c_int32,
        ctypes.c_char_p,
        ctypes.c_size_t,
    ),
    "zelf_session_options_new": (
        ctypes.c_void_p,
    ),
    "zelf_session_options_set_identifier": (
        None,
        ctypes.c_void_p,
        ctypes.c_char_p,
    ),
    "zelf_session_options_set_type": (
        None,
        ctypes.c_void_p,
        ctypes.c_int32,
    ),
    "zelf_session_options_set_web_extension": (
        None,
        ctypes.c_void_p,
        ctypes.c_bool,
    ),
    "zelf_session_options_set_domain": (
        None,
        ctypes.c_void_p,
        ctypes.c_char_p,
    ),
    "zelf_session_options_set_tag_name": (
        None,
        ctypes.c_void_p,
        ctypes.c_char_p,
    ),
    "zelf_session_options_set_eth_address": (
        None,
        ctypes.c_void_p,
        ctypes.c_char_p,
    ),
    "zelf_session_options_set_kill_session": (
        None,
        ctypes.c_void_p,
        ctypes.c_bool,
    ),
    "zelf_session_options_set_confirm": (
        None,
        ctypes.c_void_p,
        ctypes.c_bool,
    ),
    "zelf_session_options_free": (
        None,
        ctypes.c_void_p,
    ),
    "zelf_session_token": (
        ctypes.c_char_p,
        ctypes.c_void_p,
    ),
    "zelf_session_authorization": (
        ctypes.c_char_p,
        ctypes.c_void_p,
    ),
    "zelf_session_id": (
        ctypes.c_char_p,
        ctypes.c_void_p,
    ),
    "zelf_session_identifier": (
        ctypes.c_char_p,
        ctypes.c_void_p,
    ),
    "zelf_session_domain": (
        ctypes.c_char_p,
        ctypes.c_void_p,
    ),
    "zelf_session_tag_name": (
        ctypes.c_char_p,
        ctypes.c_void_p,
    ),
    "zelf_session_eth_address": (
        ctypes.c_char_p,
        ctypes.c_void_p,
    ),
    "zelf_session_activated_at": (
        ctypes.c_int64,
        ctypes.c_void_p,
    ),
    "zelf_session_expires_at": (
        ctypes.c_int64,
        ctypes.c_void_p,
    ),
    "zelf_session_seconds_left": (
        ctypes.c_int64,
        ctypes.c_void_p,
    ),
    "zelf_session_free": (
        None,
        ctypes.c_void_p,
    ),
    "zelf_call_cancel": (
        None,
        ctypes.c_void_p,
    ),
    "zelf_call_free": (
        None,
        ctypes.c_void_p,
    ),
    "zelf_session_create": (
        ctypes.c_void_p,
        ctypes.c_void_p,
        ctypes.c_void_p,
        ctypes.POINTER(ctypes.c_void_p),
    ),
    "zelf_session_create_async": (
        ctypes.c_void_p,
        ctypes.c_void_p,
        ctypes.c_void_p,
        zelf_session_callback,
        ctypes.c_void_p,
        zelf_destroy_callback,
        ctypes.POINTER(ctypes.c_void_p),
    ),
    "zelf_provider_options_new": (
        ctypes.c_void_p,
    ),
    "zelf_provider_options_set_min_valid_s": (
        None,
        ctypes.c_void_p,
        ctypes.c_uint32,
    ),
    "zelf_provider_options_set_renewal": (
        None,
        ctypes.c_void_p,
        ctypes.c_int32,
    ),
    "zelf_provider_options_set_background": (
        None,
        ctypes.c_void_p,
        ctypes.c_bool,
    ),
    "zelf_provider_options_set_directory": (
        None,
        ctypes.c_void_p,
        ctypes.c_char_p,
    ),
    "zelf_provider_options_set_renewed_callback": (
        None,
        ctypes.c_void_p,
        zelf_renewed_callback,
        ctypes.c_void_p,
        zelf_destroy_callback,
    ),
    "zelf_provider_options_free": (
        None,
        ctypes.c_void_p,
    ),
    "zelf_session_provider_new": (
        ctypes.c_void_p,
        ctypes.c_void_p,
        ctypes.c_void_p,
        ctypes.c_void_p,
        ctypes.POINTER(ctypes.c_void_p),
    ),
    "zelf_session_provider_get": (
        ctypes.c_void_p,
        ctypes.c_void_p,
        ctypes.POINTER(ctypes.c_void_p),
    ),
    "zelf_session_provider_get_async": (
        ctypes.c_void_p,
        ctypes.c_void_p,
        zelf_session_callback,
        ctypes.c_void_p,
        zelf_destroy_callback,
        ctypes.POINTER(ctypes.c_void_p),
    ),
    "zelf_session_provider_current": (
        ctypes.c_void_p,
        ctypes.c_void_p,
    ),
    "zelf_session_provider_invalidate": (
        ctypes.c_bool,
        ctypes.c_void_p,
        ctypes.c_void_p,
    ),
    "zelf_session_provider_invalidate_if_refused": (
        ctypes.c_bool,
        ctypes.c_void_p,
        ctypes.c_void_p,
        ctypes.c_int32,
        ctypes.c_void_p,
        ctypes.c_size_t,
    ),
    "zelf_session_provider_last_error": (
        ctypes.c_void_p,
        ctypes.c_void_p,
    ),
    "zelf_session_provider_free": (
        None,
        ctypes.c_void_p,
    ),
    "zelf_request_new": (
        ctypes.c_void_p,
        ctypes.c_char_p,
        ctypes.c_char_p,
    ),
    "zelf_request_set_header": (
        None,
        ctypes.c_void_p,
        ctypes.c_char_p,
        ctypes.c_char_p,
    ),
    "zelf_request_set_body": (
        None,
        ctypes.c_void_p,
        ctypes.c_void_p,
        ctypes.c_size_t,
        ctypes.c_char_p,
    ),
    "zelf_request_set_timeout_ms": (
        None,
        ctypes.c_void_p,
        ctypes.c_uint32,
    ),
    "zelf_request_set_max_response_bytes": (
        None,
        ctypes.c_void_p,
        ctypes.c_size_t,
    ),
    "zelf_request_set_repeatable": (
        None,
        ctypes.c_void_p,
        ctypes.c_bool,
    ),
    "zelf_request_free": (
        None,
        ctypes.c_void_p,
    ),
    "zelf_response_http_status": (
        ctypes.c_int32,
        ctypes.c_void_p,
    ),
    "zelf_response_header": (
        ctypes.c_char_p,
        ctypes.c_void_p,
        ctypes.c_char_p,
    ),
    "zelf_response_body": (
        ctypes.c_void_p,
        ctypes.c_void_p,
        ctypes.POINTER(ctypes.c_size_t),
    ),
    "zelf_response_server_message": (
        ctypes.c_char_p,
        ctypes.c_void_p,
    ),
    "zelf_response_free": (
        None,
        ctypes.c_void_p,
    ),
    "zelf_session_provider_send": (
        ctypes.c_void_p,
        ctypes.c_void_p,
        ctypes.c_void_p,
        ctypes.POINTER(ctypes.c_void_p),
    ),
    "zelf_session_provider_send_async": (
        ctypes.c_void_p,
        ctypes.c_void_p,
        ctypes.c_void_p,
        zelf_response_callback,
        ctypes.c_void_p,
        zelf_destroy_callback,
        ctypes.POINTER(ctypes.c_void_p),
    ),
    "zelf_session_send": (
        ctypes.c_void_p,
        ctypes.c_void_p,
        ctypes.c_void_p,
        ctypes.c_void_p,
        ctypes.POINTER(ctypes.c_void_p),
    ),
    "zelf_session_send_async": (
        ctypes.c_void_p,
        ctypes.c_void_p,
        ctypes.c_void_p,
        ctypes.c_void_p,
        zelf_response_callback,
        ctypes.c_void_p,
        zelf_destroy_callback,
        ctypes.POINTER(ctypes.c_void_p),
    ),
}
