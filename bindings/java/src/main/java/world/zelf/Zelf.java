// Written by bindings/generate from include/zelf.h. Do not edit.
// SPDX-License-Identifier: MIT OR Apache-2.0

package world.zelf;

import com.sun.jna.Callback;
import com.sun.jna.Native;
import com.sun.jna.Pointer;

/**
 * The constants of the library. Their names are those of its header, without {@code ZELF_}.
 *
 * <p>{@link ZelfException#status()} is one of the {@code ERROR_} constants.
 */
public final class Zelf {
    static {
        Native.register(Zelf.class, NativeLoader.load());
    }

    private Zelf() {}

    /**
     * The version of this header.
     */
    public static final String VERSION = "0.1.0";

    /**
     * Its first number.
     */
    public static final int VERSION_MAJOR = 0;

    /**
     * Its second number.
     */
    public static final int VERSION_MINOR = 1;

    /**
     * Its third number.
     */
    public static final int VERSION_PATCH = 0;

    /**
     * Success.
     */
    public static final int OK = 0;

    /**
     * An argument is unusable: NULL, not UTF-8, out of range or forbidden. Or the function
     * cannot run on this thread, or with this client. The message says which. Nothing was sent.
     */
    public static final int ERROR_INVALID_ARGUMENT = 1;

    /**
     * A setting of the configuration is unusable. The message names it.
     */
    public static final int ERROR_INVALID_CONFIG = 2;

    /**
     * The library has a bug. It caught it before it could harm your process.
     */
    public static final int ERROR_PANIC = 3;

    /**
     * The operating system refused something.
     *
     * <p>No descriptor or thread was left, a system call found no memory, or a sandbox,
     * container or firewall forbids a system call. The message names the call. A forbidden call
     * is not retryable.
     */
    public static final int ERROR_SYSTEM = 4;

    /**
     * The call was cancelled: by zelf_call_cancel, zelf_client_shutdown or zelf_client_free, or
     * a callback ended the thread that does its I/O.
     */
    public static final int ERROR_CANCELLED = 5;

    /**
     * The client has been shut down and takes no more calls.
     */
    public static final int ERROR_SHUT_DOWN = 6;

    /**
     * The process is a forked child, and the client is bound to its parent. Make a client in the
     * child.
     */
    public static final int ERROR_FORKED = 7;

    /**
     * The name of the server or proxy could not be resolved.
     */
    public static final int ERROR_DNS = 10;

    /**
     * No connection to the server or proxy could be made, or a SOCKS proxy could not reach the
     * server.
     */
    public static final int ERROR_CONNECT = 11;

    /**
     * No secure connection could be made. The message says why.
     *
     * <p>The certificate is not trusted, has expired or is for another host; or the peer does
     * not speak TLS 1.2 or 1.3, shares no cipher, or wants a client certificate.
     */
    public static final int ERROR_TLS = 12;

    /**
     * A time limit has passed: that of the call, of connecting, or the server's or proxy's (HTTP
     * 408).
     */
    public static final int ERROR_TIMEOUT = 13;

    /**
     * The connection broke before the whole answer arrived.
     */
    public static final int ERROR_CONNECTION_LOST = 14;

    /**
     * The server's certificate is trusted, but its key is not pinned (zelf_config_add_pin).
     */
    public static final int ERROR_PIN_MISMATCH = 15;

    /**
     * The proxy refused, wants other credentials (HTTP 407), or does not speak its protocol.
     *
     * <p>zelf_error_http_status and zelf_error_server_message return what it said. A proxy's
     * HTTP 408, 429 and 5xx (not 501, 505 and 511) give the same status as from the server.
     */
    public static final int ERROR_PROXY = 16;

    /**
     * The answer is not a session: not HTTP, not JSON, no token, or a token that no header can
     * carry.
     */
    public static final int ERROR_BAD_RESPONSE = 20;

    /**
     * The answer is too large (64 KiB for a session) or has too many headers.
     */
    public static final int ERROR_RESPONSE_TOO_LARGE = 21;

    /**
     * The server redirects. The library does not follow: correct the base URL.
     */
    public static final int ERROR_REDIRECTED = 22;

    /**
     * HTTP 403 "rejected": the server does not accept the origin.
     */
    public static final int ERROR_REJECTED_ORIGIN = 30;

    /**
     * HTTP 401, except "Invalid session": the server wants a token for this path. Usually the
     * base URL is wrong.
     */
    public static final int ERROR_UNAUTHORIZED = 31;

    /**
     * HTTP 403, except "rejected", "Session is not active" and "... limit exceeded": for example
     * from a firewall in front of the server.
     */
    public static final int ERROR_FORBIDDEN = 32;

    /**
     * HTTP 400, 413, 415 or 431: the server cannot read the request.
     */
    public static final int ERROR_BAD_REQUEST = 33;

    /**
     * HTTP 409 or 422: the server refuses a value.
     */
    public static final int ERROR_VALIDATION = 34;

    /**
     * HTTP 404, except the text "Not Found": there is no session API at this address.
     */
    public static final int ERROR_NOT_FOUND = 35;

    /**
     * The server answered 404 "Not Found" until the time limit: it is starting, or the path does
     * not exist. Check the base URL.
     */
    public static final int ERROR_STARTING_UP = 36;

    /**
     * HTTP 401 "Invalid session" or 403 "... limit exceeded": the session's quota is used up.
     * Create a session with zelf_session_options_set_kill_session.
     */
    public static final int ERROR_LIMIT_EXCEEDED = 37;

    /**
     * HTTP 403 "Session is not active": the session has ended on the server.
     */
    public static final int ERROR_SESSION_NOT_ACTIVE = 38;

    /**
     * HTTP 429 from the server or proxy: too many requests (see zelf_error_retry_after_ms).
     */
    public static final int ERROR_RATE_LIMITED = 39;

    /**
     * HTTP 5xx, except 501, 505 and 511: the server or a proxy before it failed.
     */
    public static final int ERROR_SERVER = 40;

    /**
     * An HTTP status that the session API does not have.
     *
     * <p>This includes 501 and 505, which are permanent, and 511: the network wants a person to
     * sign in.
     */
    public static final int ERROR_UNEXPECTED_HTTP_STATUS = 41;

    /**
     * The server returned a session that has expired by the server's own clock.
     */
    public static final int ERROR_SESSION_EXPIRED = 50;

    /**
     * The server returned the session of another identifier.
     */
    public static final int ERROR_FOREIGN_SESSION = 51;

    /**
     * The server returned sessions that do not exist.
     *
     * <p>The causes: the network has changed, and the server makes no session until the old one
     * has ended; another process replaced the session at the same time; or the server misreads
     * the identifier (see zelf_session_options_set_identifier). A send also fails with it if the
     * server refuses three sessions.
     */
    public static final int ERROR_GHOST_SESSION = 52;

    /**
     * The server returned a session with another tag name, domain or Ethereum address.
     *
     * <p>It ignored the new value. Use zelf_session_options_set_kill_session or another
     * identifier.
     */
    public static final int ERROR_OTHER_OPTIONS = 53;

    /**
     * Calls to the server that failed, with their zelf_error_message.
     */
    public static final int LOG_ERROR = 1;

    /**
     * Also failed attempts that are repeated.
     */
    public static final int LOG_WARNING = 2;

    /**
     * Also actions of the library, such as replacing an expired session.
     */
    public static final int LOG_INFO = 3;

    /**
     * Also every answer, with its duration and whether its connection was kept alive.
     */
    public static final int LOG_DEBUG = 4;

    /**
     * Size of an identifier in bytes: 32 lower-case hex digits and a NUL.
     */
    public static final int IDENTIFIER_SIZE = 33;

    /**
     * Anything. The server assumes it if no type is sent.
     */
    public static final int SESSION_TYPE_GENERAL = 0;

    /**
     * Create a wallet.
     */
    public static final int SESSION_TYPE_CREATE_WALLET = 1;

    /**
     * Decrypt a wallet.
     */
    public static final int SESSION_TYPE_DECRYPT_WALLET = 2;

    /**
     * Import a wallet.
     */
    public static final int SESSION_TYPE_IMPORT_WALLET = 3;

    /**
     * Renews when the session has less than min_valid left.
     *
     * <p>The provider first asks without killSession. If another process has renewed the
     * session, the server returns the new one. If it returns the same one, the provider replaces
     * it with one killSession: the old token stops working in all programs with this identifier.
     */
    public static final int RENEWAL_AT_EXPIRY = 0;

    /**
     * Renews without killSession. For shared identifiers.
     *
     * <p>The server accepts an expired session until it removes it, up to a minute after its
     * end. Until then the provider returns that session, even with less than min_valid left
     * (zelf_session_seconds_left may be 0), and asks the server once in 4 to 6 seconds.
     */
    public static final int RENEWAL_NEVER_KILL = 1;

    /**
     * Replaces the session with killSession before its end: by a minute, or a tenth of its life
     * if that is shorter.
     *
     * <p>It is for an identifier that a single process uses. A forked child that uses the
     * provider is another process.
     */
    public static final int RENEWAL_EARLY = 2;

    interface LogCallback extends Callback {
        void invoke(int level, Pointer message, Pointer userData);
    }

    interface DestroyCallback extends Callback {
        void invoke(Pointer userData);
    }

    interface SessionCallback extends Callback {
        void invoke(Pointer session, Pointer error, Pointer userData);
    }

    interface RenewedCallback extends Callback {
        void invoke(Pointer session, Pointer userData);
    }

    interface ResponseCallback extends Callback {
        void invoke(Pointer response, Pointer error, Pointer userData);
    }

    static native Pointer zelf_version();

    static native Pointer zelf_status_name(int status);

    static native Pointer zelf_status_message(int status);

    static native int zelf_error_status(Pointer error);

    static native Pointer zelf_error_message(Pointer error);

    static native int zelf_error_http_status(Pointer error);

    static native Pointer zelf_error_server_message(Pointer error);

    static native byte zelf_error_is_retryable(Pointer error);

    static native long zelf_error_retry_after_ms(Pointer error);

    static native void zelf_error_free(Pointer error);

    static native Pointer zelf_config_new();

    static native void zelf_config_set_base_url(Pointer config, byte[] url);

    static native void zelf_config_set_origin(Pointer config, byte[] origin);

    static native void zelf_config_set_user_agent(Pointer config, byte[] agent);

    static native void zelf_config_set_timeout_ms(Pointer config, int ms);

    static native void zelf_config_set_connect_timeout_ms(Pointer config, int ms);

    static native void zelf_config_set_max_attempts(Pointer config, int attempts);

    static native void zelf_config_set_ca_file(Pointer config, byte[] pemPath);

    static native void zelf_config_set_ca_pem(Pointer config, byte[] pem, long length);

    static native void zelf_config_add_pin(Pointer config, byte[] spkiSha256Base64);

    static native void zelf_config_set_proxy(Pointer config, byte[] url);

    static native void zelf_config_set_proxy_from_env(Pointer config, byte fromEnv);

    static native void zelf_config_set_log_callback(Pointer config, LogCallback callback, Pointer
            userData, DestroyCallback destroy, int level);

    static native void zelf_config_set_dispatch(Pointer config, byte byHost);

    static native void zelf_config_free(Pointer config);

    static native Pointer zelf_client_new(Pointer config, long[] error);

    static native Pointer zelf_client_base_url(Pointer client);

    static native Pointer zelf_client_origin(Pointer client);

    static native int zelf_client_shutdown(Pointer client, int timeoutMs);

    static native int zelf_client_descriptor(Pointer client);

    static native int zelf_client_dispatch(Pointer client);

    static native void zelf_client_free(Pointer client);

    static native int zelf_identifier_derive(byte[] deviceId, byte[] out, long capacity);

    static native int zelf_identifier_random(byte[] out, long capacity);

    static native Pointer zelf_session_options_new();

    static native void zelf_session_options_set_identifier(Pointer options, byte[] identifier);

    static native void zelf_session_options_set_type(Pointer options, int sessionType);

    static native void zelf_session_options_set_web_extension(Pointer options, byte isWebExtension);

    static native void zelf_session_options_set_domain(Pointer options, byte[] domain);

    static native void zelf_session_options_set_tag_name(Pointer options, byte[] tagName);

    static native void zelf_session_options_set_eth_address(Pointer options, byte[] ethAddress);

    static native void zelf_session_options_set_kill_session(Pointer options, byte killSession);

    static native void zelf_session_options_set_confirm(Pointer options, byte confirm);

    static native void zelf_session_options_free(Pointer options);

    static native Pointer zelf_session_token(Pointer session);

    static native Pointer zelf_session_authorization(Pointer session);

    static native Pointer zelf_session_id(Pointer session);

    static native Pointer zelf_session_identifier(Pointer session);

    static native Pointer zelf_session_domain(Pointer session);

    static native Pointer zelf_session_tag_name(Pointer session);

    static native Pointer zelf_session_eth_address(Pointer session);

    static native long zelf_session_activated_at(Pointer session);

    static native long zelf_session_expires_at(Pointer session);

    static native long zelf_session_seconds_left(Pointer session);

    static native void zelf_session_free(Pointer session);

    static native void zelf_call_cancel(Pointer call);

    static native void zelf_call_free(Pointer call);

    static native Pointer zelf_session_create(Pointer client, Pointer options, long[] error);

    static native Pointer zelf_session_create_async(Pointer client, Pointer options, SessionCallback
            callback, Pointer userData, DestroyCallback destroy, long[] error);

    static native Pointer zelf_provider_options_new();

    static native void zelf_provider_options_set_min_valid_s(Pointer options, int seconds);

    static native void zelf_provider_options_set_renewal(Pointer options, int renewal);

    static native void zelf_provider_options_set_background(Pointer options, byte background);

    static native void zelf_provider_options_set_directory(Pointer options, byte[] path);

    static native void zelf_provider_options_set_renewed_callback(Pointer options, RenewedCallback
            callback, Pointer userData, DestroyCallback destroy);

    static native void zelf_provider_options_free(Pointer options);

    static native Pointer zelf_session_provider_new(Pointer client, Pointer options, Pointer
            provider, long[] error);

    static native Pointer zelf_session_provider_get(Pointer provider, long[] error);

    static native Pointer zelf_session_provider_get_async(Pointer provider, SessionCallback
            callback, Pointer userData, DestroyCallback destroy, long[] error);

    static native Pointer zelf_session_provider_current(Pointer provider);

    static native byte zelf_session_provider_invalidate(Pointer provider, Pointer rejected);

    static native byte zelf_session_provider_invalidate_if_refused(Pointer provider, Pointer
            session, int httpStatus, byte[] body, long length);

    static native Pointer zelf_session_provider_last_error(Pointer provider);

    static native void zelf_session_provider_free(Pointer provider);

    static native Pointer zelf_request_new(byte[] method, byte[] target);

    static native void zelf_request_set_header(Pointer request, byte[] name, byte[] value);

    static native void zelf_request_set_body(Pointer request, byte[] bytes, long length, byte[]
            contentType);

    static native void zelf_request_set_timeout_ms(Pointer request, int ms);

    static native void zelf_request_set_max_response_bytes(Pointer request, long bytes);

    static native void zelf_request_set_repeatable(Pointer request, byte repeatable);

    static native void zelf_request_free(Pointer request);

    static native int zelf_response_http_status(Pointer response);

    static native Pointer zelf_response_header(Pointer response, byte[] name);

    static native Pointer zelf_response_body(Pointer response, long[] length);

    static native Pointer zelf_response_server_message(Pointer response);

    static native void zelf_response_free(Pointer response);

    static native Pointer zelf_session_provider_send(Pointer provider, Pointer request, long[]
            error);

    static native Pointer zelf_session_provider_send_async(Pointer provider, Pointer request,
            ResponseCallback callback, Pointer userData, DestroyCallback destroy, long[] error);

    static native Pointer zelf_session_send(Pointer client, Pointer session, Pointer request, long[]
            error);

    static native Pointer zelf_session_send_async(Pointer client, Pointer session, Pointer request,
            ResponseCallback callback, Pointer userData, DestroyCallback destroy, long[] error);
}
