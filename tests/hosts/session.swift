// Uses libzelf from Swift, through the installed module map.
import CZelf
import Glibc

struct Failure: Error {
    let status: String
    let message: String

    /// Takes ownership.
    init(_ error: OpaquePointer?) {
        status = String(cString: zelf_status_name(zelf_error_status(error)))
        message = zelf_error_message(error).map { String(cString: $0) } ?? "out of memory"
        zelf_error_free(error)
    }
}

/// It is immutable according to the header, so any task may use it.
final class Session: @unchecked Sendable {
    private let session: OpaquePointer

    init(_ session: OpaquePointer) { self.session = session }
    deinit { zelf_session_free(session) }

    var token: String { String(cString: zelf_session_token(session)) }
    var identifier: String? { zelf_session_identifier(session).map { String(cString: $0) } }
}

/// Any thread may use it, according to the header.
final class Client: @unchecked Sendable {
    private let client: OpaquePointer

    init(baseURL: String, caFile: String) throws {
        let config = zelf_config_new()
        defer { zelf_config_free(config) }
        zelf_config_set_base_url(config, baseURL)
        zelf_config_set_ca_file(config, caFile)
        var error: OpaquePointer?
        guard let client = zelf_client_new(config, &error) else { throw Failure(error) }
        self.client = client
    }

    deinit { zelf_client_free(client) }

    func createBlocking(_ identifier: String) throws -> Session {
        let options = zelf_session_options_new()
        defer { zelf_session_options_free(options) }
        zelf_session_options_set_identifier(options, identifier)
        var error: OpaquePointer?
        guard let session = zelf_session_create(client, options, &error) else { throw Failure(error) }
        return Session(session)
    }

    private final class Waiting {
        let continuation: CheckedContinuation<Session, Error>
        init(_ continuation: CheckedContinuation<Session, Error>) { self.continuation = continuation }
    }

    func create(_ identifier: String) async throws -> Session {
        try await withCheckedThrowingContinuation { continuation in
            let options = zelf_session_options_new()
            defer { zelf_session_options_free(options) }
            zelf_session_options_set_identifier(options, identifier)
            let waiting = Unmanaged.passRetained(Waiting(continuation))
            var error: OpaquePointer?
            let call = zelf_session_create_async(
                client, options,
                { session, error, data in
                    let waiting = Unmanaged<Waiting>.fromOpaque(data!).takeUnretainedValue()
                    if let session {
                        waiting.continuation.resume(returning: Session(session))
                    } else {
                        waiting.continuation.resume(throwing: Failure(error))
                    }
                },
                waiting.toOpaque(),
                { data in Unmanaged<Waiting>.fromOpaque(data!).release() },
                &error)
            if call == nil {
                waiting.release()
                continuation.resume(throwing: Failure(error))
            }
            zelf_call_free(call)
        }
    }

    func shutDown() -> Bool { zelf_client_shutdown(client, 1000) == ZELF_OK }
}

@main
struct Main {
    static func promise(_ kept: Bool, _ name: String) {
        print(kept ? "ok -" : "not ok -", name)
        if !kept { exit(1) }
    }

    static func main() async throws {
        let client = try Client(
            baseURL: String(cString: getenv("ZELF_HTTPS")), caFile: String(cString: getenv("ZELF_CA")))
        let session = try client.createBlocking("swift-x")
        promise(session.token.hasPrefix("eyJ") && session.identifier == "swift-x",
                "Swift creates a session over TLS")
        do {
            _ = try client.createBlocking("")
            promise(false, "and is told what went wrong")
        } catch let failure as Failure {
            promise(failure.status == "ZELF_ERROR_INVALID_ARGUMENT",
                    "and is told what went wrong: \(failure.message)")
        }

        async let one = client.create("swift-async-1")
        async let other = client.create("swift-async-2")
        let both = try await [one.identifier, other.identifier]
        promise(both == ["swift-async-1", "swift-async-2"], "two sessions are awaited at once")
        do {
            _ = try await client.create("undefined")
            promise(false, "an error is thrown to the caller that awaits")
        } catch let failure as Failure {
            promise(failure.message.contains("identifier"),
                    "an error is thrown to the caller that awaits: \(failure.message)")
        }
        promise(client.shutDown(), "and the client can be shut down")
    }
}
