// Written by bindings/generate from include/zelf.h

using System;
using System.Runtime.InteropServices;

namespace Zelf
{
    /// <summary>The result of a call. A newer library may return other numbers.</summary>
    public enum Status
    {
        /// <summary>Success.</summary>
        Ok = 0,
        /// <summary>An argument is unusable: NULL, not UTF-8, out of range or forbidden. Or the function cannot run on this thread, or with this client. The message says which. Nothing was sent.</summary>
        InvalidArgument = 1,
        /// <summary>A setting of the configuration is unusable. The message names it.</summary>
        InvalidConfig = 2,
        /// <summary>The library has a bug. It caught it before it could harm your process.</summary>
        Panic = 3,
        /// <summary>The operating system refused something.</summary>
        System = 4,
        /// <summary>The call was cancelled: by zelf_call_cancel, zelf_client_shutdown or zelf_client_free, or a callback ended the thread that does its I/O.</summary>
        Cancelled = 5,
        /// <summary>The client has been shut down and takes no more calls.</summary>
        ShutDown = 6,
        /// <summary>The process is a forked child, and the client is bound to its parent. Make a client in the child.</summary>
        Forked = 7,
        /// <summary>The name of the server or proxy could not be resolved.</summary>
        Dns = 10,
        /// <summary>No connection to the server or proxy could be made, or a SOCKS proxy could not reach the server.</summary>
        Connect = 11,
        /// <summary>No secure connection could be made. The message says why.</summary>
        Tls = 12,
        /// <summary>A time limit has passed: that of the call, of connecting, or the server's or proxy's (HTTP 408).</summary>
        Timeout = 13,
        /// <summary>The connection broke before the whole answer arrived.</summary>
        ConnectionLost = 14,
        /// <summary>The server's certificate is trusted, but its key is not pinned (zelf_config_add_pin).</summary>
        PinMismatch = 15,
        /// <summary>The proxy refused, wants other credentials (HTTP 407), or does not speak its protocol.</summary>
        Proxy = 16,
        /// <summary>The answer is not a session: not HTTP, not JSON, no token, or a token that no header can carry.</summary>
        BadResponse = 20,
        /// <summary>The answer is too large (64 KiB for a session) or has too many headers.</summary>
        ResponseTooLarge = 21,
        /// <summary>The server redirects. The library does not follow: correct the base URL.</summary>
        Redirected = 22,
        /// <summary>HTTP 403 "rejected": the server does not accept the origin.</summary>
        RejectedOrigin = 30,
        /// <summary>HTTP 401, except "Invalid session": the server wants a token for this path. Usually the base URL is wrong.</summary>
        Unauthorized = 31,
        /// <summary>HTTP 403, except "rejected", "Session is not active" and "... limit exceeded": for example from a firewall in front of the server.</summary>
        Forbidden = 32,
        /// <summary>HTTP 400, 413, 415 or 431: the server cannot read the request.</summary>
        BadRequest = 33,
        /// <summary>HTTP 409 or 422: the server refuses a value.</summary>
        Validation = 34,
        /// <summary>HTTP 404, except the text "Not Found": there is no session API at this address.</summary>
        NotFound = 35,
        /// <summary>The server answered 404 "Not Found" until the time limit: it is starting, or the path does not exist. Check the base URL.</summary>
        StartingUp = 36,
        /// <summary>HTTP 401 "Invalid session" or 403 "... limit exceeded": the session's quota is used up. Create a session with zelf_session_options_set_kill_session.</summary>
        LimitExceeded = 37,
        /// <summary>HTTP 403 "Session is not active": the session has ended on the server.</summary>
        SessionNotActive = 38,
        /// <summary>HTTP 429 from the server or proxy: too many requests (see zelf_error_retry_after_ms).</summary>
        RateLimited = 39,
        /// <summary>HTTP 5xx, except 501, 505 and 511: the server or a proxy before it failed.</summary>
        Server = 40,
        /// <summary>An HTTP status that the session API does not have.</summary>
        UnexpectedHttpStatus = 41,
        /// <summary>The server returned a session that has expired by the server's own clock.</summary>
        SessionExpired = 50,
        /// <summary>The server returned the session of another identifier.</summary>
        ForeignSession = 51,
        /// <summary>The server returned sessions that do not exist.</summary>
        GhostSession = 52,
        /// <summary>The server returned a session with another tag name, domain or Ethereum address.</summary>
        OtherOptions = 53,
    }

    /// <summary>The importance of a log message.</summary>
    public enum LogLevel
    {
        /// <summary>Calls to the server that failed, with their zelf_error_message.</summary>
        Error = 1,
        /// <summary>Also failed attempts that are repeated.</summary>
        Warning = 2,
        /// <summary>Also actions of the library, such as replacing an expired session.</summary>
        Info = 3,
        /// <summary>Also every answer, with its duration and whether its connection was kept alive.</summary>
        Debug = 4,
    }

    /// <summary>The purpose of a session.</summary>
    public enum SessionType
    {
        /// <summary>Anything. The server assumes it if no type is sent.</summary>
        General = 0,
        /// <summary>Create a wallet.</summary>
        CreateWallet = 1,
        /// <summary>Decrypt a wallet.</summary>
        DecryptWallet = 2,
        /// <summary>Import a wallet.</summary>
        ImportWallet = 3,
    }

    /// <summary>When a provider renews its session, and whether it may end the old one.</summary>
    public enum Renewal
    {
        /// <summary>Renews when the session has less than min_valid left.</summary>
        AtExpiry = 0,
        /// <summary>Renews without killSession. For shared identifiers.</summary>
        NeverKill = 1,
        /// <summary>Replaces the session with killSession before its end: by a minute, or a tenth of its life if that is shorter.</summary>
        Early = 2,
    }

    // The constants of include/zelf.h.
    internal static class Constants
    {
        internal const string ZELF_VERSION = "0.1.0";
        internal const int ZELF_VERSION_MAJOR = 0;
        internal const int ZELF_VERSION_MINOR = 1;
        internal const int ZELF_VERSION_PATCH = 0;
        internal const int ZELF_OK = 0;
        internal const int ZELF_ERROR_INVALID_ARGUMENT = 1;
        internal const int ZELF_ERROR_INVALID_CONFIG = 2;
        internal const int ZELF_ERROR_PANIC = 3;
        internal const int ZELF_ERROR_SYSTEM = 4;
        internal const int ZELF_ERROR_CANCELLED = 5;
        internal const int ZELF_ERROR_SHUT_DOWN = 6;
        internal const int ZELF_ERROR_FORKED = 7;
        internal const int ZELF_ERROR_DNS = 10;
        internal const int ZELF_ERROR_CONNECT = 11;
        internal const int ZELF_ERROR_TLS = 12;
        internal const int ZELF_ERROR_TIMEOUT = 13;
        internal const int ZELF_ERROR_CONNECTION_LOST = 14;
        internal const int ZELF_ERROR_PIN_MISMATCH = 15;
        internal const int ZELF_ERROR_PROXY = 16;
        internal const int ZELF_ERROR_BAD_RESPONSE = 20;
        internal const int ZELF_ERROR_RESPONSE_TOO_LARGE = 21;
        internal const int ZELF_ERROR_REDIRECTED = 22;
        internal const int ZELF_ERROR_REJECTED_ORIGIN = 30;
        internal const int ZELF_ERROR_UNAUTHORIZED = 31;
        internal const int ZELF_ERROR_FORBIDDEN = 32;
        internal const int ZELF_ERROR_BAD_REQUEST = 33;
        internal const int ZELF_ERROR_VALIDATION = 34;
        internal const int ZELF_ERROR_NOT_FOUND = 35;
        internal const int ZELF_ERROR_STARTING_UP = 36;
        internal const int ZELF_ERROR_LIMIT_EXCEEDED = 37;
        internal const int ZELF_ERROR_SESSION_NOT_ACTIVE = 38;
        internal const int ZELF_ERROR_RATE_LIMITED = 39;
        internal const int ZELF_ERROR_SERVER = 40;
        internal const int ZELF_ERROR_UNEXPECTED_HTTP_STATUS = 41;
        internal const int ZELF_ERROR_SESSION_EXPIRED = 50;
        internal const int ZELF_ERROR_FOREIGN_SESSION = 51;
        internal const int ZELF_ERROR_GHOST_SESSION = 52;
        internal const int ZELF_ERROR_OTHER_OPTIONS = 53;
        internal const int ZELF_LOG_ERROR = 1;
        internal const int ZELF_LOG_WARNING = 2;
        internal const int ZELF_LOG_INFO = 3;
        internal const int ZELF_LOG_DEBUG = 4;
        internal const int ZELF_IDENTIFIER_SIZE = 33;
        internal const int ZELF_SESSION_TYPE_GENERAL = 0;
        internal const int ZELF_SESSION_TYPE_CREATE_WALLET = 1;
        internal const int ZELF_SESSION_TYPE_DECRYPT_WALLET = 2;
        internal const int ZELF_SESSION_TYPE_IMPORT_WALLET = 3;
        internal const int ZELF_RENEWAL_AT_EXPIRY = 0;
        internal const int ZELF_RENEWAL_NEVER_KILL = 1;
        internal const int ZELF_RENEWAL_EARLY = 2;
    }

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    internal delegate void LogCallback(int level, IntPtr message, IntPtr userData);

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    internal delegate void DestroyCallback(IntPtr userData);

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    internal delegate void SessionCallback(IntPtr session, IntPtr error, IntPtr userData);

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    internal delegate void RenewedCallback(IntPtr session, IntPtr userData);

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    internal delegate void ResponseCallback(IntPtr response, IntPtr error, IntPtr userData);

    internal sealed class ConfigHandle : Handle
    {
        internal ConfigHandle() : base(IntPtr.Zero, true) { }
        internal ConfigHandle(IntPtr pointer, bool isOwned) : base(pointer, isOwned) { }
        protected override void Free() { Native.zelf_config_free(handle); }
    }

    internal sealed class ClientHandle : Handle
    {
        internal ClientHandle() : base(IntPtr.Zero, true) { }
        internal ClientHandle(IntPtr pointer, bool isOwned) : base(pointer, isOwned) { }
        protected override void Free() { Native.zelf_client_free(handle); }
    }

    internal sealed class SessionOptionsHandle : Handle
    {
        internal SessionOptionsHandle() : base(IntPtr.Zero, true) { }
        internal SessionOptionsHandle(IntPtr pointer, bool isOwned) : base(pointer, isOwned) { }
        protected override void Free() { Native.zelf_session_options_free(handle); }
    }

    internal sealed class SessionHandle : Handle
    {
        internal SessionHandle() : base(IntPtr.Zero, true) { }
        internal SessionHandle(IntPtr pointer, bool isOwned) : base(pointer, isOwned) { }
        protected override void Free() { Native.zelf_session_free(handle); }
    }

    internal sealed class CallHandle : Handle
    {
        internal CallHandle() : base(IntPtr.Zero, true) { }
        internal CallHandle(IntPtr pointer, bool isOwned) : base(pointer, isOwned) { }
        protected override void Free() { Native.zelf_call_free(handle); }
    }

    internal sealed class ProviderOptionsHandle : Handle
    {
        internal ProviderOptionsHandle() : base(IntPtr.Zero, true) { }
        internal ProviderOptionsHandle(IntPtr pointer, bool isOwned) : base(pointer, isOwned) { }
        protected override void Free() { Native.zelf_provider_options_free(handle); }
    }

    internal sealed class SessionProviderHandle : Handle
    {
        internal SessionProviderHandle() : base(IntPtr.Zero, true) { }
        internal SessionProviderHandle(IntPtr pointer, bool isOwned) : base(pointer, isOwned) { }
        protected override void Free() { Native.zelf_session_provider_free(handle); }
    }

    internal sealed class RequestHandle : Handle
    {
        internal RequestHandle() : base(IntPtr.Zero, true) { }
        internal RequestHandle(IntPtr pointer, bool isOwned) : base(pointer, isOwned) { }
        protected override void Free() { Native.zelf_request_free(handle); }
    }

    internal sealed class ResponseHandle : Handle
    {
        internal ResponseHandle() : base(IntPtr.Zero, true) { }
        internal ResponseHandle(IntPtr pointer, bool isOwned) : base(pointer, isOwned) { }
        protected override void Free() { Native.zelf_response_free(handle); }
    }

    // The functions of include/zelf.h.
    internal static class Native
    {
        const string Library = "zelf";

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern IntPtr zelf_version();

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern IntPtr zelf_status_name(int status);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern IntPtr zelf_status_message(int status);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int zelf_error_status(IntPtr error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern IntPtr zelf_error_message(IntPtr error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int zelf_error_http_status(IntPtr error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern IntPtr zelf_error_server_message(IntPtr error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        [return: MarshalAs(UnmanagedType.I1)]
        internal static extern bool zelf_error_is_retryable(IntPtr error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern ulong zelf_error_retry_after_ms(IntPtr error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void zelf_error_free(IntPtr error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern ConfigHandle zelf_config_new();

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void zelf_config_set_base_url(ConfigHandle config, byte[] url);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void zelf_config_set_origin(ConfigHandle config, byte[] origin);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void zelf_config_set_user_agent(ConfigHandle config, byte[] agent);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void zelf_config_set_timeout_ms(ConfigHandle config, uint ms);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void zelf_config_set_connect_timeout_ms(ConfigHandle config, uint ms);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void zelf_config_set_max_attempts(ConfigHandle config, uint attempts);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void zelf_config_set_ca_file(ConfigHandle config, byte[] pemPath);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void zelf_config_set_ca_pem(ConfigHandle config, byte[] pem, UIntPtr length);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void zelf_config_add_pin(ConfigHandle config, byte[] spkiSha256Base64);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void zelf_config_set_proxy(ConfigHandle config, byte[] url);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void zelf_config_set_proxy_from_env(ConfigHandle config, [MarshalAs(UnmanagedType.I1)] bool fromEnv);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void zelf_config_set_log_callback(ConfigHandle config, LogCallback callback, IntPtr userData, DestroyCallback destroy, int level);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void zelf_config_set_dispatch(ConfigHandle config, [MarshalAs(UnmanagedType.I1)] bool byHost);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void zelf_config_free(IntPtr config);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern ClientHandle zelf_client_new(ConfigHandle config, ref IntPtr error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern IntPtr zelf_client_base_url(ClientHandle client);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern IntPtr zelf_client_origin(ClientHandle client);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int zelf_client_shutdown(ClientHandle client, uint timeoutMs);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int zelf_client_descriptor(ClientHandle client);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int zelf_client_dispatch(ClientHandle client);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void zelf_client_free(IntPtr client);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int zelf_identifier_derive(byte[] deviceId, byte[] @out, UIntPtr capacity);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int zelf_identifier_random(byte[] @out, UIntPtr capacity);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern SessionOptionsHandle zelf_session_options_new();

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void zelf_session_options_set_identifier(SessionOptionsHandle options, byte[] identifier);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void zelf_session_options_set_type(SessionOptionsHandle options, int sessionType);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void zelf_session_options_set_web_extension(SessionOptionsHandle options, [MarshalAs(UnmanagedType.I1)] bool isWebExtension);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void zelf_session_options_set_domain(SessionOptionsHandle options, byte[] domain);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void zelf_session_options_set_tag_name(SessionOptionsHandle options, byte[] tagName);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void zelf_session_options_set_eth_address(SessionOptionsHandle options, byte[] ethAddress);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void zelf_session_options_set_kill_session(SessionOptionsHandle options, [MarshalAs(UnmanagedType.I1)] bool killSession);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void zelf_session_options_set_confirm(SessionOptionsHandle options, [MarshalAs(UnmanagedType.I1)] bool confirm);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void zelf_session_options_free(IntPtr options);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern IntPtr zelf_session_token(SessionHandle session);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern IntPtr zelf_session_authorization(SessionHandle session);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern IntPtr zelf_session_id(SessionHandle session);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern IntPtr zelf_session_identifier(SessionHandle session);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern IntPtr zelf_session_domain(SessionHandle session);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern IntPtr zelf_session_tag_name(SessionHandle session);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern IntPtr zelf_session_eth_address(SessionHandle session);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern long zelf_session_activated_at(SessionHandle session);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern long zelf_session_expires_at(SessionHandle session);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern long zelf_session_seconds_left(SessionHandle session);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void zelf_session_free(IntPtr session);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void zelf_call_cancel(CallHandle call);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void zelf_call_free(IntPtr call);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern SessionHandle zelf_session_create(ClientHandle client, SessionOptionsHandle options, ref IntPtr error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern CallHandle zelf_session_create_async(ClientHandle client, SessionOptionsHandle options, SessionCallback callback, IntPtr userData, DestroyCallback destroy, ref IntPtr error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern ProviderOptionsHandle zelf_provider_options_new();

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void zelf_provider_options_set_min_valid_s(ProviderOptionsHandle options, uint seconds);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void zelf_provider_options_set_renewal(ProviderOptionsHandle options, int renewal);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void zelf_provider_options_set_background(ProviderOptionsHandle options, [MarshalAs(UnmanagedType.I1)] bool background);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void zelf_provider_options_set_directory(ProviderOptionsHandle options, byte[] path);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void zelf_provider_options_set_renewed_callback(ProviderOptionsHandle options, RenewedCallback callback, IntPtr userData, DestroyCallback destroy);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void zelf_provider_options_free(IntPtr options);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern SessionProviderHandle zelf_session_provider_new(ClientHandle client, SessionOptionsHandle options, ProviderOptionsHandle provider, ref IntPtr error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern SessionHandle zelf_session_provider_get(SessionProviderHandle provider, ref IntPtr error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern CallHandle zelf_session_provider_get_async(SessionProviderHandle provider, SessionCallback callback, IntPtr userData, DestroyCallback destroy, ref IntPtr error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern SessionHandle zelf_session_provider_current(SessionProviderHandle provider);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        [return: MarshalAs(UnmanagedType.I1)]
        internal static extern bool zelf_session_provider_invalidate(SessionProviderHandle provider, SessionHandle rejected);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        [return: MarshalAs(UnmanagedType.I1)]
        internal static extern bool zelf_session_provider_invalidate_if_refused(SessionProviderHandle provider, SessionHandle session, int httpStatus, byte[] body, UIntPtr length);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern IntPtr zelf_session_provider_last_error(SessionProviderHandle provider);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void zelf_session_provider_free(IntPtr provider);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern RequestHandle zelf_request_new(byte[] method, byte[] target);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void zelf_request_set_header(RequestHandle request, byte[] name, byte[] value);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void zelf_request_set_body(RequestHandle request, byte[] bytes, UIntPtr length, byte[] contentType);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void zelf_request_set_timeout_ms(RequestHandle request, uint ms);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void zelf_request_set_max_response_bytes(RequestHandle request, UIntPtr bytes);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void zelf_request_set_repeatable(RequestHandle request, [MarshalAs(UnmanagedType.I1)] bool repeatable);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void zelf_request_free(IntPtr request);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int zelf_response_http_status(ResponseHandle response);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern IntPtr zelf_response_header(ResponseHandle response, byte[] name);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern IntPtr zelf_response_body(ResponseHandle response, out UIntPtr length);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern IntPtr zelf_response_server_message(ResponseHandle response);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void zelf_response_free(IntPtr response);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern ResponseHandle zelf_session_provider_send(SessionProviderHandle provider, RequestHandle request, ref IntPtr error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern CallHandle zelf_session_provider_send_async(SessionProviderHandle provider, RequestHandle request, ResponseCallback callback, IntPtr userData, DestroyCallback destroy, ref IntPtr error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern ResponseHandle zelf_session_send(ClientHandle client, SessionHandle session, RequestHandle request, ref IntPtr error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern CallHandle zelf_session_send_async(ClientHandle client, SessionHandle session, RequestHandle request, ResponseCallback callback, IntPtr userData, DestroyCallback destroy, ref IntPtr error);
    }
}
