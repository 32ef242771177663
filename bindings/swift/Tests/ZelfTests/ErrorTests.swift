import Foundation
import Testing
import Zelf

extension Promises {
    /// The error of a session call with these settings, under these faults.
    private func refusal(
        _ change: @escaping (inout Client.Configuration) -> Void = { _ in }, fault: String? = nil
    ) async throws -> ZelfError {
        let client = try Sandbox.client {
            $0.maxAttempts = 1
            change(&$0)
        }
        let call = { _ = try await client.createSession(.init(identifier: someone())) }
        guard let fault else { return try await failure { try await call() } }
        return try await Sandbox.with(faults: fault) { try await failure { try await call() } }
    }

    @Test("an unusable argument is invalidArgument, and names it")
    func invalidArgument() async throws {
        let client = try Sandbox.client()
        let error = try await failure { _ = try await client.createSession(.init(identifier: "")) }
        #expect(error.status == .invalidArgument && error.message.contains("identifier"))
        #expect(!error.isRetryable && error.retryAfter == nil && error.httpStatus == nil)
    }

    @Test("a text with a NUL is refused, not cut")
    func nul() async throws {
        let client = try Sandbox.client()
        let error = try await failure {
            _ = try await client.createSession(.init(identifier: "a\0b"))
        }
        #expect(error.status == .invalidArgument && error.message.contains("identifier"))
        #expect(throws: ZelfError.self) { try Sandbox.client { $0.userAgent = "a\0b" } }
        #expect(throws: ZelfError.self) { try Identifier.derive(from: "a\0b") }
        let provider = try Sandbox.provider(someone())
        var request = Request("GET", "/sandbox/echo")
        request.headers["X-A"] = "a\0b"
        #expect(
            try await failure { _ = try await provider.send(request) }.status == .invalidArgument)
    }

    @Test("an unusable setting is invalidConfig, and names it")
    func invalidConfig() async throws {
        let changes: [(String, (inout Client.Configuration) -> Void)] = [
            ("base URL", { $0.baseURL = "ftp://x" }),
            ("timeout", { $0.timeout = .zero }),
            ("timeout", { $0.timeout = .seconds(-1) }),
            ("connectTimeout", { $0.connectTimeout = .seconds(1 << 40) }),
            ("pin", { $0.pins = ["x"] }),
        ]
        for (name, change) in changes {
            let error = try await failure { _ = try Sandbox.client(change) }
            #expect(error.status == .invalidConfig, "\(error)")
            #expect(error.message.contains(name), "\(error)")
        }
    }

    @Test("a time limit that passes is timeout")
    func timeout() async throws {
        let start = ContinuousClock.now
        let error = try await refusal(
            { $0.timeout = .milliseconds(300) }, fault: #"{"kind":"stall","stage":"headers"}"#)
        #expect(error.status == .timeout && error.isRetryable)
        #expect(ContinuousClock.now - start < .seconds(5))
    }

    @Test("a certificate of another CA is tls")
    func tls() async throws {
        #expect(try await refusal { $0.caFile = Sandbox.otherCA }.status == .tls)
    }

    @Test("a server that is not there is connect, a name that is not there is dns")
    func connection() async throws {
        #expect(try await refusal { $0.baseURL = "https://127.0.0.1:1" }.status == .connect)
        #expect(try await refusal { $0.baseURL = "https://none.invalid" }.status == .dns)
    }

    @Test("an answer that breaks off is connectionLost")
    func connectionLost() async throws {
        #expect(
            try await refusal(fault: #"{"kind":"close","stage":"body"}"#).status == .connectionLost)
    }

    @Test("an origin that the server does not accept is rejectedOrigin")
    func rejectedOrigin() async throws {
        let error = try await refusal(
            fault: #"{"kind":"answer","status":403,"error":"rejected"}"#)
        #expect(error.status == .rejectedOrigin && error.httpStatus == 403)
        #expect(error.serverMessage == "rejected" && error.failureReason == "rejected")
    }

    @Test("too many requests are rateLimited, with their delay")
    func rateLimited() async throws {
        let error = try await refusal(
            fault: #"{"kind":"answer","status":429,"headers":{"Retry-After":"7"}}"#)
        #expect(error.status == .rateLimited && error.isRetryable)
        #expect(error.retryAfter == .seconds(7))
    }

    @Test("a server that fails is server, with its words")
    func server() async throws {
        let error = try await refusal(
            fault: #"{"kind":"answer","status":500,"error":"the database is down"}"#)
        #expect(error.status == .server && error.httpStatus == 500)
        #expect(error.serverMessage == "the database is down")
        #expect(error.message.contains("the database is down"))
        #expect(error.localizedDescription == error.message)
        #expect(error.description.contains("ZELF_ERROR_SERVER"))
    }

    @Test("a catch can name a status")
    func catchStatus() async throws {
        do {
            _ = try Sandbox.client { $0.baseURL = "x" }
            Issue.record("nothing was thrown")
        } catch ZelfError.Status.timeout {
            Issue.record("another status was caught")
        } catch ZelfError.Status.invalidConfig {
        }
    }

    @Test("an unknown number of a newer library is a status")
    func unknown() {
        let status = ZelfError.Status(rawValue: 9999)
        #expect(status.name == "ZELF_ERROR_UNKNOWN" && !status.message.isEmpty)
        #expect("\(status)".contains("9999"))
        #expect(status != .server)
    }

    @Test("a status has its number, name and meaning")
    func status() {
        #expect(ZelfError.Status.timeout.rawValue == 13)
        #expect(ZelfError.Status.timeout.name == "ZELF_ERROR_TIMEOUT")
        #expect(ZelfError.Status.timeout.message == "a time limit has passed")
    }
}
