import CZelf
import Foundation

/// Keeps one session for your program and renews it, so that a valid token is always there.
public final class SessionProvider: Sendable {
    private let handle: Handle
    let client: Client

    /// Makes a provider. It makes no request, except with ``Options/background``.
    ///
    /// The session's options must have an identifier and must not kill.
    public init(
        _ client: Client, session: Session.Options, options: Options = Options()
    ) throws(ZelfError) {
        let session = try session.handle()
        let options = try options.handle()
        self.client = client
        handle = try Handle(zelf_session_provider_free) { error in
            client.handle.use { client in
                session.use { session in
                    options.use { zelf_session_provider_new(client, session, $0, error) }
                }
            }
        }
    }

    /// Returns a session with at least ``Options/minValid`` left.
    ///
    /// - Throws: ``ZelfError``, or `CancellationError` if the task is cancelled. That does not
    ///   stop a request for a session: later calls use its result.
    public func get() async throws -> Session {
        try Task.checkCancellation()
        if let current = handle.use({ zelf_session_provider_current($0) }) {
            return Session(Handle(current, zelf_session_free))
        }
        return try await newSession()
    }

    private func newSession() async throws -> Session {
        Session(
            try await run(zelf_session_free) { provider in
                { zelf_session_provider_get_async(provider, $0, $1, $2, $3) }
            })
    }

    /// Returns a session, and blocks the thread while there is none.
    ///
    @available(*, noasync, message: "it may block its thread: await get")
    public func getBlocking() throws(ZelfError) -> Session {
        Session(
            try Handle(zelf_session_free) { error in
                handle.use { zelf_session_provider_get($0, error) }
            })
    }

    /// Tells the provider that a route refused its session: 401 "Protected resource" or 403
    /// "Session is not active". The next ``get()`` asks the server for another one.
    ///
    /// - Returns: whether the provider held that session.
    @discardableResult
    public func invalidate(_ rejected: Session) -> Bool {
        handle.use { provider in
            rejected.handle.use { zelf_session_provider_invalidate(provider, $0) }
        }
    }

    /// Judges an answer that your program got with an HTTP client of its choice, and
    /// invalidates the session that the answer refuses.
    ///
    /// - Returns: whether to repeat the request once, with the session of the next ``get()``.
    public func invalidate(_ session: Session, ifRefusedBy httpStatus: Int, body: Data) -> Bool {
        body.withUnsafeBytes { bytes in
            handle.use { provider in
                session.handle.use {
                    zelf_session_provider_invalidate_if_refused(
                        provider, $0, Int32(clamping: httpStatus), bytes.baseAddress, bytes.count)
                }
            }
        }
    }

    /// Why the last renewal failed. `nil` if it worked, or there was none.
    public var lastError: ZelfError? {
        handle.use { zelf_session_provider_last_error($0) }.map { ZelfError(taking: $0) }
    }

    /// Sends a request with the provider's session, and renews a session that the server refuses.
    ///
    /// It returns an answer of any other status. It repeats a request after other failures only
    /// if the request is repeatable.
    ///
    /// - Throws: ``ZelfError``, or `CancellationError` if the task is cancelled. The server may
    ///   have carried out a cancelled request.
    public func send(_ request: Request) async throws -> Response {
        let request = try request.handle()
        return Response(
            try await run(zelf_response_free) { provider in
                { callback, data, destroy, error in
                    request.use {
                        zelf_session_provider_send_async(
                            provider, $0, callback, data, destroy, error)
                    }
                }
            })
    }

    /// Sends a request, and blocks the thread until the answer or the request's time limit.
    @available(*, noasync, message: "it blocks its thread: await send")
    public func sendBlocking(_ request: Request) throws(ZelfError) -> Response {
        let request = try request.handle()
        return Response(
            try Handle(zelf_response_free) { error in
                handle.use { provider in
                    request.use { zelf_session_provider_send(provider, $0, error) }
                }
            })
    }

    private func run(
        _ free: Handle.Free, _ start: (OpaquePointer) -> Call.Start
    ) async throws -> Handle {
        // The end of the client would cancel the call.
        defer { withExtendedLifetime(self) {} }
        return try await Call.run(free, owner: handle, start: start)
    }
}

extension SessionProvider {
    /// How a provider keeps its session.
    public struct Options: Sendable {
        /// How long a session must be valid when it is handed out. Default: 5 s.
        public var minValid: Duration?

        /// When to renew. Default: ``Renewal/atExpiry``.
        public var renewal: Renewal?

        /// Whether a thread of the client renews and confirms sessions ahead of time.
        public var background = false

        /// A directory in which the session is stored, so that short-lived processes share it.
        ///
        /// It must exist, be local and writable only by the user.
        public var directory: String?

        /// Called when the provider holds another session, on a thread that renews.
        ///
        /// It must be quick. It must not call ``SessionProvider/get()``.
        public var renewed: (@Sendable (RenewedSession) -> Void)?

        public init() {}

        func handle() throws(ZelfError) -> Handle {
            let values = Values(status: .invalidArgument)
            let directory = try values.text(directory, "directory")
            var seconds: UInt32?
            if let minValid { seconds = try values.seconds(minValid, "minValid") }
            let handle = try Handle(
                zelf_provider_options_free, setters: zelf_provider_options_new())
            handle.use { options in
                if let seconds { zelf_provider_options_set_min_valid_s(options, seconds) }
                if let renewal { zelf_provider_options_set_renewal(options, renewal.rawValue) }
                zelf_provider_options_set_background(options, background)
                zelf_provider_options_set_directory(options, directory)
                if let renewed {
                    zelf_provider_options_set_renewed_callback(
                        options,
                        { session, data in
                            guard let session else { return }
                            Box<@Sendable (RenewedSession) -> Void>.value(of: data)(
                                RenewedSession(session))
                        },
                        Box(renewed).retained(), destroyBox)
                }
            }
            return handle
        }
    }
}

/// What a session says at the moment when a provider gets it.
public struct RenewedSession: Sendable, CustomStringConvertible, CustomReflectable {
    /// The value of the Authorization header, a secret.
    public let authorization: String
    /// The identifier in the token.
    public let identifier: String?
    /// When the session ends, by the server's clock.
    public let expiresAt: Date
    /// How many whole seconds it had left at that moment.
    public let secondsLeft: Int

    /// Copies: the session of the callback is borrowed.
    init(_ session: OpaquePointer) {
        authorization = String(cString: zelf_session_authorization(session))
        identifier = zelf_session_identifier(session).map { String(cString: $0) }
        expiresAt = Date(timeIntervalSince1970: TimeInterval(zelf_session_expires_at(session)))
        secondsLeft = Int(clamping: zelf_session_seconds_left(session))
    }

    /// Without the token.
    public var description: String {
        "RenewedSession(identifier: \(identifier ?? "none"), secondsLeft: \(secondsLeft))"
    }

    /// Without the token.
    public var customMirror: Mirror {
        Mirror(
            self,
            children: [
                "identifier": identifier as Any, "expiresAt": expiresAt, "secondsLeft": secondsLeft,
            ])
    }
}
