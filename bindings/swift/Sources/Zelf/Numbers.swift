// Written by bindings/generate from include/zelf.h.

import CZelf

extension ZelfError {
    /// The kind of a failure.
    ///
    /// A later version may add numbers.
    public struct Status: RawRepresentable, Hashable, Sendable {
        public let rawValue: Int32
        public init(rawValue: Int32) { self.rawValue = rawValue }

        /// An argument is unusable: not UTF-8, out of range or forbidden. Or the function cannot
        /// run on this thread, or with this client. The message says which. Nothing was sent.
        public static let invalidArgument = Status(rawValue: ZELF_ERROR_INVALID_ARGUMENT)

        /// A setting of the configuration is unusable. The message names it.
        public static let invalidConfig = Status(rawValue: ZELF_ERROR_INVALID_CONFIG)

        /// The library has a bug. It caught it before it could harm your process.
        public static let panic = Status(rawValue: ZELF_ERROR_PANIC)

        /// The operating system refused something.
        ///
        /// No descriptor or thread was left, a system call found no memory, or a sandbox,
        /// container or firewall forbids a system call. The message names the call. A forbidden
        /// call is not retryable.
        public static let system = Status(rawValue: ZELF_ERROR_SYSTEM)

        /// The call was cancelled: by the cancellation of its task, ``Client/shutDown(timeout:)``
        /// or the end of the client, or a callback ended the thread that does its I/O.
        public static let cancelled = Status(rawValue: ZELF_ERROR_CANCELLED)

        /// The client has been shut down and takes no more calls.
        public static let shutDown = Status(rawValue: ZELF_ERROR_SHUT_DOWN)

        /// The process is a forked child, and the client is bound to its parent. Make a client in
        /// the child.
        public static let forked = Status(rawValue: ZELF_ERROR_FORKED)

        /// The name of the server or proxy could not be resolved.
        public static let dns = Status(rawValue: ZELF_ERROR_DNS)

        /// No connection to the server or proxy could be made, or a SOCKS proxy could not reach
        /// the server.
        public static let connect = Status(rawValue: ZELF_ERROR_CONNECT)

        /// No secure connection could be made. The message says why.
        ///
        /// The certificate is not trusted, has expired or is for another host; or the peer does
        /// not speak TLS 1.2 or 1.3, shares no cipher, or wants a client certificate.
        public static let tls = Status(rawValue: ZELF_ERROR_TLS)

        /// A time limit has passed: that of the call, of connecting, or the server's or proxy's
        /// (HTTP 408).
        public static let timeout = Status(rawValue: ZELF_ERROR_TIMEOUT)

        /// The connection broke before the whole answer arrived.
        public static let connectionLost = Status(rawValue: ZELF_ERROR_CONNECTION_LOST)

        /// The server's certificate is trusted, but its key is not pinned
        /// (``Client/Configuration/pins``).
        public static let pinMismatch = Status(rawValue: ZELF_ERROR_PIN_MISMATCH)

        /// The proxy refused, wants other credentials (HTTP 407), or does not speak its protocol.
        ///
        /// ``ZelfError/httpStatus`` and ``ZelfError/serverMessage`` return what it said. A
        /// proxy's HTTP 408, 429 and 5xx (not 501, 505 and 511) give the same status as from the
        /// server.
        public static let proxy = Status(rawValue: ZELF_ERROR_PROXY)

        /// The answer is not a session: not HTTP, not JSON, no token, or a token that no header
        /// can carry.
        public static let badResponse = Status(rawValue: ZELF_ERROR_BAD_RESPONSE)

        /// The answer is too large (64 KiB for a session) or has too many headers.
        public static let responseTooLarge = Status(rawValue: ZELF_ERROR_RESPONSE_TOO_LARGE)

        /// The server redirects. The library does not follow: correct the base URL.
        public static let redirected = Status(rawValue: ZELF_ERROR_REDIRECTED)

        /// HTTP 403 "rejected": the server does not accept the origin.
        public static let rejectedOrigin = Status(rawValue: ZELF_ERROR_REJECTED_ORIGIN)

        /// HTTP 401, except "Invalid session": the server wants a token for this path. Usually
        /// the base URL is wrong.
        public static let unauthorized = Status(rawValue: ZELF_ERROR_UNAUTHORIZED)

        /// HTTP 403, except "rejected", "Session is not active" and "... limit exceeded": for
        /// example from a firewall in front of the server.
        public static let forbidden = Status(rawValue: ZELF_ERROR_FORBIDDEN)

        /// HTTP 400, 413, 415 or 431: the server cannot read the request.
        public static let badRequest = Status(rawValue: ZELF_ERROR_BAD_REQUEST)

        /// HTTP 409 or 422: the server refuses a value.
        public static let validation = Status(rawValue: ZELF_ERROR_VALIDATION)

        /// HTTP 404, except the text "Not Found": there is no session API at this address.
        public static let notFound = Status(rawValue: ZELF_ERROR_NOT_FOUND)

        /// The server answered 404 "Not Found" until the time limit: it is starting, or the path
        /// does not exist. Check the base URL.
        public static let startingUp = Status(rawValue: ZELF_ERROR_STARTING_UP)

        /// HTTP 401 "Invalid session" or 403 "... limit exceeded": the session's quota is used
        /// up. Create a session with ``Session/Options/killSession``.
        public static let limitExceeded = Status(rawValue: ZELF_ERROR_LIMIT_EXCEEDED)

        /// HTTP 403 "Session is not active": the session has ended on the server.
        public static let sessionNotActive = Status(rawValue: ZELF_ERROR_SESSION_NOT_ACTIVE)

        /// HTTP 429 from the server or proxy: too many requests (see ``ZelfError/retryAfter``).
        public static let rateLimited = Status(rawValue: ZELF_ERROR_RATE_LIMITED)

        /// HTTP 5xx, except 501, 505 and 511: the server or a proxy before it failed.
        public static let server = Status(rawValue: ZELF_ERROR_SERVER)

        /// An HTTP status that the session API does not have.
        ///
        /// This includes 501 and 505, which are permanent, and 511: the network wants a person to
        /// sign in.
        public static let unexpectedHTTPStatus = Status(rawValue: ZELF_ERROR_UNEXPECTED_HTTP_STATUS)

        /// The server returned a session that has expired by the server's own clock.
        public static let sessionExpired = Status(rawValue: ZELF_ERROR_SESSION_EXPIRED)

        /// The server returned the session of another identifier.
        public static let foreignSession = Status(rawValue: ZELF_ERROR_FOREIGN_SESSION)

        /// The server returned sessions that do not exist.
        ///
        /// The causes: the network has changed, and the server makes no session until the old one
        /// has ended; another process replaced the session at the same time; or the server
        /// misreads the identifier (see ``Session/Options/identifier``). A send also fails with
        /// it if the server refuses three sessions.
        public static let ghostSession = Status(rawValue: ZELF_ERROR_GHOST_SESSION)

        /// The server returned a session with another tag name, domain or Ethereum address.
        ///
        /// It ignored the new value. Use ``Session/Options/killSession`` or another identifier.
        public static let otherOptions = Status(rawValue: ZELF_ERROR_OTHER_OPTIONS)
    }
}

/// The importance of a log message.
public struct LogLevel: RawRepresentable, Hashable, Sendable {
    public let rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// Calls to the server that failed, with their ``ZelfError/message``.
    public static let error = LogLevel(rawValue: ZELF_LOG_ERROR)

    /// Also failed attempts that are repeated.
    public static let warning = LogLevel(rawValue: ZELF_LOG_WARNING)

    /// Also actions of the library, such as replacing an expired session.
    public static let info = LogLevel(rawValue: ZELF_LOG_INFO)

    /// Also every answer, with its duration and whether its connection was kept alive.
    public static let debug = LogLevel(rawValue: ZELF_LOG_DEBUG)
}

/// The purpose of a session.
public struct SessionType: RawRepresentable, Hashable, Sendable {
    public let rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// Anything. The server assumes it if no type is sent.
    public static let general = SessionType(rawValue: ZELF_SESSION_TYPE_GENERAL)

    /// Create a wallet.
    public static let createWallet = SessionType(rawValue: ZELF_SESSION_TYPE_CREATE_WALLET)

    /// Decrypt a wallet.
    public static let decryptWallet = SessionType(rawValue: ZELF_SESSION_TYPE_DECRYPT_WALLET)

    /// Import a wallet.
    public static let importWallet = SessionType(rawValue: ZELF_SESSION_TYPE_IMPORT_WALLET)
}

/// When a provider renews its session, and whether it may end the old one.
public struct Renewal: RawRepresentable, Hashable, Sendable {
    public let rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// Renews when the session has less than ``SessionProvider/Options/minValid`` left.
    ///
    /// The provider first asks without killSession. If another process has renewed the session,
    /// the server returns the new one. If it returns the same one, the provider replaces it with
    /// one killSession: the old token stops working in all programs with this identifier.
    public static let atExpiry = Renewal(rawValue: ZELF_RENEWAL_AT_EXPIRY)

    /// Renews without killSession. For shared identifiers.
    ///
    /// The server accepts an expired session until it removes it, up to a minute after its end.
    /// Until then the provider returns that session, even with less than
    /// ``SessionProvider/Options/minValid`` left (``Session/secondsLeft`` may be 0), and asks the
    /// server once in 4 to 6 seconds.
    public static let neverKill = Renewal(rawValue: ZELF_RENEWAL_NEVER_KILL)

    /// Replaces the session with killSession before its end: by a minute, or a tenth of its life
    /// if that is shorter.
    ///
    /// It is for an identifier that a single process uses. A forked child that uses the provider
    /// is another process.
    public static let early = Renewal(rawValue: ZELF_RENEWAL_EARLY)
}
