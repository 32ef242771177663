import Foundation
import Testing
import Zelf

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// The promises run one after another: a fault of one would strike another.
@Suite(.serialized, .timeLimit(.minutes(1))) struct Promises {}

/// The sandbox that runs beside the tests.
enum Sandbox {
    static let https = variable("ZELF_HTTPS")
    static let http = variable("ZELF_HTTP")
    static let ca = variable("ZELF_CA")
    static let otherCA = variable("ZELF_OTHER_CA")
    static let pin = variable("ZELF_PIN")

    static func variable(_ name: String) -> String {
        ProcessInfo.processInfo.environment[name] ?? "\(name) is not set"
    }

    /// Makes a client over HTTPS, with other settings.
    static func client(_ change: (inout Client.Configuration) -> Void = { _ in }) throws -> Client {
        var configuration = Client.Configuration(
            baseURL: https, origin: "https://app.example.com")
        configuration.caFile = ca
        change(&configuration)
        return try Client(configuration)
    }

    static func provider(
        _ identifier: String, _ change: (inout SessionProvider.Options) -> Void = { _ in }
    ) throws -> SessionProvider {
        var options = SessionProvider.Options()
        change(&options)
        return try SessionProvider(
            try client(), session: .init(identifier: identifier), options: options)
    }

    /// Calls a control route.
    @discardableResult
    static func control(_ method: String, _ path: String, _ body: String? = nil) async throws
        -> Data
    {
        var request = URLRequest(url: URL(string: variable("ZELF_CONTROL") + path)!)
        request.httpMethod = method
        request.httpBody = body.map { Data($0.utf8) }
        let (data, response) = try await URLSession.shared.data(for: request)
        #expect((response as? HTTPURLResponse)?.statusCode == 200, "\(method) \(path)")
        return data
    }

    /// Runs a test under faults, one JSON object each.
    static func with<Result>(
        faults: String..., do body: () async throws -> Result
    ) async throws -> Result {
        try await control("POST", "/sandbox/faults", "[\(faults.joined(separator: ","))]")
        do {
            let result = try await body()
            try await control("DELETE", "/sandbox/faults")
            return result
        } catch {
            try await control("DELETE", "/sandbox/faults")
            throw error
        }
    }

    struct Seen: Decodable {
        let method: String
        let path: String
        let headers: [[String]]
        let body: String?

        func header(_ name: String) -> String? {
            headers.first { $0[0].lowercased() == name.lowercased() }?[1]
        }
    }

    /// The requests since the start that have this text in their path or body.
    static func requests(with text: String) async throws -> [Seen] {
        let data = try await control("GET", "/sandbox/requests")
        struct All: Decodable { let requests: [Seen] }
        let all = try JSONDecoder().decode(All.self, from: data).requests
        return all.filter { $0.path.contains(text) || $0.body?.contains(text) == true }
    }

    static func age(_ identifier: String, seconds: Int) async throws {
        try await control(
            "POST", "/sandbox/age", #"{"identifier":"\#(identifier)","seconds":\#(seconds)}"#)
    }

    /// Ends a session on the server. A route that checks it then refuses it.
    static func end(_ identifier: String) async throws {
        try await control("POST", "/sandbox/use", #"{"identifier":"\#(identifier)"}"#)
    }
}

/// Returns the error of this type that the body throws. Anything else fails the test.
func failure<Failure: Error>(
    _ type: Failure.Type = ZelfError.self, _ body: () async throws -> Void
) async throws -> Failure {
    do {
        try await body()
    } catch let failure as Failure {
        return failure
    }
    throw NothingThrown()
}
struct NothingThrown: Error {}

/// Runs blocking code on a thread.
func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value
{
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
    }
}

/// A value that several threads change.
final class Shared<Value: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var value: Value
    init(_ value: Value) { self.value = value }
    func change(_ body: (inout Value) -> Void) { lock.withLock { body(&value) } }
    var now: Value { lock.withLock { value } }
}

/// Waits until something holds, at most 10 s.
func eventually(_ holds: () async throws -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(10)
    while try await !holds() {
        if ContinuousClock.now > end {
            Issue.record("10 s have passed")
            return
        }
        try await Task.sleep(for: .milliseconds(5))
    }
}

/// An identifier of one test.
func someone() -> String { try! Identifier.random() }
