import CZelf
import Foundation

/// Creates sessions with one configuration. One client serves all tasks and threads.
///
/// The last reference closes its connections. A call under way keeps its client.
public final class Client: Sendable {
    let handle: Handle

    /// Checks the configuration and makes a client.
    ///
    /// It reads the CA file or the system's certificates. It starts no thread and opens no
    /// connection.
    ///
    /// - Throws: ``ZelfError`` with ``ZelfError/Status/invalidConfig``,
    ///   ``ZelfError/Status/tls``, ``ZelfError/Status/system`` or
    ///   ``ZelfError/Status/oldLibrary``.
    public init(_ configuration: Configuration = Configuration()) throws(ZelfError) {
        try Library.check()
        let config = try configuration.handle()
        handle = try Handle(zelf_client_free) { error in
            config.use { zelf_client_new($0, error) }
        }
    }

    /// The base URL of the API, without "/" at its end. Send the token only to its host.
    public var baseURL: String { handle.text(zelf_client_base_url) ?? "" }

    /// The Origin header that the client sends. Requests by another HTTP client need it, too.
    public var origin: String { handle.text(zelf_client_origin) ?? "" }

    /// Creates a session with `POST /api/sessions`.
    ///
    /// - Throws: ``ZelfError``, or `CancellationError` if the task is cancelled. The server may
    ///   have carried out a cancelled call.
    public func createSession(_ options: Session.Options = .init()) async throws -> Session {
        let options = try options.handle()
        return Session(
            try await Call.run(zelf_session_free, owner: handle) { client in
                { callback, data, destroy, error in
                    options.use {
                        zelf_session_create_async(client, $0, callback, data, destroy, error)
                    }
                }
            })
    }

    /// Creates a session, and blocks the thread until the answer or the time limit.
    @available(*, noasync, message: "it blocks its thread: await createSession")
    public func createSessionBlocking(
        _ options: Session.Options = .init()
    ) throws(ZelfError) -> Session {
        let options = try options.handle()
        return Session(
            try Handle(zelf_session_free) { error in
                handle.use { client in options.use { zelf_session_create(client, $0, error) } }
            })
    }

    /// Sends a request with a session, which it does not renew: see ``SessionProvider/send(_:)``.
    ///
    /// It returns an answer of any status, also one that refuses the session. Without a session
    /// it sends no token.
    ///
    /// - Throws: ``ZelfError``, or `CancellationError` if the task is cancelled. The server may
    ///   have carried out a cancelled request.
    public func send(_ request: Request, session: Session? = nil) async throws -> Response {
        let request = try request.handle()
        return Response(
            try await Call.run(zelf_response_free, owner: handle) { client in
                { callback, data, destroy, error in
                    request.use { request in
                        guard let session else {
                            return zelf_session_send_async(
                                client, nil, request, callback, data, destroy, error)
                        }
                        return session.handle.use {
                            zelf_session_send_async(
                                client, $0, request, callback, data, destroy, error)
                        }
                    }
                }
            })
    }

    /// Sends a request like ``send(_:session:)``, and blocks the thread until the answer or the
    /// request's time limit.
    @available(*, noasync, message: "it blocks its thread: await send")
    public func sendBlocking(
        _ request: Request, session: Session? = nil
    ) throws(ZelfError) -> Response {
        let request = try request.handle()
        return Response(
            try Handle(zelf_response_free) { error in
                handle.use { client in
                    request.use { request in
                        guard let session else {
                            return zelf_session_send(client, nil, request, error)
                        }
                        return session.handle.use { zelf_session_send(client, $0, request, error) }
                    }
                }
            })
    }

    /// Cancels all asynchronous calls, and waits until the client's threads have ended.
    ///
    /// New calls fail with ``ZelfError/Status/shutDown``. The cancelled calls throw a
    /// ``ZelfError`` with ``ZelfError/Status/cancelled``.
    ///
    /// - Throws: ``ZelfError`` with ``ZelfError/Status/timeout`` if it takes longer. A second
    ///   call continues to wait.
    public func shutDown(timeout: Duration = .seconds(1)) async throws {
        // The wait must not block a thread of the tasks.
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(with: Result { try self.shutDownBlocking(timeout: timeout) })
            }
        }
    }

    /// Shuts the client down, and blocks the thread meanwhile.
    @available(*, noasync, message: "it blocks its thread: await shutDown")
    public func shutDownBlocking(timeout: Duration = .seconds(1)) throws(ZelfError) {
        let ms = try Values(status: .invalidArgument).milliseconds(timeout, "timeout", from: 0)
        try ZelfError.check(handle.use { zelf_client_shutdown($0, ms) })
    }

    /// A descriptor that is readable while results are due. `nil` without
    /// ``Configuration/dispatch``.
    public var descriptor: Int32? {
        let descriptor = handle.use { zelf_client_descriptor($0) }
        return descriptor < 0 ? nil : descriptor
    }

    /// Hands due results to the tasks that await them. For ``Configuration/dispatch``.
    public func dispatch() throws(ZelfError) {
        try ZelfError.check(handle.use { zelf_client_dispatch($0) })
    }
}

extension Client {
    /// The settings of a client. `nil` is the default.
    ///
    /// ``Client/init(_:)`` checks them and names the first wrong one.
    public struct Configuration: Sendable {
        /// The address of the API: "https://host", with an optional port and path. "http://" only
        /// for this machine. Default: "https://api.zelf.world".
        public var baseURL: String?

        /// The Origin header, which the server requires: the scheme and host of your application.
        /// Default: the origin of the base URL.
        public var origin: String?

        /// The User-Agent header. Default: "libzelf/" and the version.
        public var userAgent: String?

        /// The time limit of a whole call, retries included. Default: 15 s.
        public var timeout: Duration?

        /// The time limit of one connection: name look-up, TCP, proxy and TLS. Default: 5 s.
        public var connectTimeout: Duration?

        /// How many attempts a call may make, counting the first. Default: 3.
        public var maxAttempts: UInt32?

        /// A file with certificates (PEM) to trust instead of the system's.
        public var caFile: String?

        /// Certificates (PEM) to trust instead of the system's. Not together with ``caFile``.
        public var caPEM: String?

        /// Pins: the server's certificate must have one of these keys. Each is the SHA-256 of a
        /// SubjectPublicKeyInfo in base64.
        public var pins: [String] = []

        /// The proxy: "http://", "https://", "socks5://" or "socks5h://". Default: none.
        public var proxy: String?

        /// Whether to take the proxy from the environment, unless one is set.
        public var proxyFromEnv = false

        /// Receives log messages, on any thread. A message never contains a token.
        ///
        /// It must be quick: asynchronous calls wait meanwhile. It must not create a session.
        public var log: (@Sendable (LogLevel, String) -> Void)?

        /// The most detailed level that ``log`` gets.
        public var logLevel = LogLevel.info

        /// Whether your program hands over the results of asynchronous calls, by
        /// ``Client/dispatch()`` when ``Client/descriptor`` is readable. Without it a thread of
        /// the client does that.
        public var dispatch = false

        public init(baseURL: String? = nil, origin: String? = nil) {
            self.baseURL = baseURL
            self.origin = origin
        }

        func handle() throws(ZelfError) -> Handle {
            let values = Values(status: .invalidConfig)
            let baseURL = try values.text(baseURL, "baseURL")
            let origin = try values.text(origin, "origin")
            let userAgent = try values.text(userAgent, "userAgent")
            let timeout = try values.milliseconds(timeout, "timeout")
            let connectTimeout = try values.milliseconds(connectTimeout, "connectTimeout")
            let caFile = try values.text(caFile, "caFile")
            let proxy = try values.text(proxy, "proxy")
            for pin in pins { _ = try values.text(pin, "a pin") }

            let handle = try Handle(zelf_config_free, setters: zelf_config_new())
            handle.use { config in
                zelf_config_set_base_url(config, baseURL)
                zelf_config_set_origin(config, origin)
                zelf_config_set_user_agent(config, userAgent)
                zelf_config_set_timeout_ms(config, timeout)
                zelf_config_set_connect_timeout_ms(config, connectTimeout)
                zelf_config_set_max_attempts(config, maxAttempts ?? 0)
                zelf_config_set_ca_file(config, caFile)
                if let caPEM { zelf_config_set_ca_pem(config, caPEM, caPEM.utf8.count) }
                for pin in pins { zelf_config_add_pin(config, pin) }
                zelf_config_set_proxy(config, proxy)
                zelf_config_set_proxy_from_env(config, proxyFromEnv)
                zelf_config_set_dispatch(config, dispatch)
                if let log {
                    zelf_config_set_log_callback(
                        config,
                        { level, message, data in
                            guard let message else { return }
                            Box<@Sendable (LogLevel, String) -> Void>.value(of: data)(
                                LogLevel(rawValue: level), String(cString: message))
                        },
                        Box(log).retained(), destroyBox, logLevel.rawValue)
                }
            }
            return handle
        }
    }
}

extension Client.Configuration: CustomReflectable {
    /// Without the credentials of a proxy.
    public var customMirror: Mirror {
        Mirror(
            self,
            children: [
                "baseURL": baseURL as Any, "origin": origin as Any, "userAgent": userAgent as Any,
                "timeout": timeout as Any, "connectTimeout": connectTimeout as Any,
                "maxAttempts": maxAttempts as Any, "caFile": caFile as Any, "pins": pins,
                "proxy": proxy == nil ? "none" : "set", "proxyFromEnv": proxyFromEnv,
                "logLevel": logLevel, "dispatch": dispatch,
            ])
    }
}
