import Foundation
import Testing
import Zelf

let search = "/api/zelf-name-service/v2/search?zelfName=abc.zelf"

/// The body of the answer.
struct Found: Decodable {
    struct Data: Decodable { let zelfName: String, available: Bool }
    let data: Data
}

extension Promises {
    @Test("a provider keeps its session")
    func providerKeeps() async throws {
        let id = someone()
        let provider = try Sandbox.provider(id)
        let one = try await provider.get()
        let other = try await onThread { try provider.getBlocking() }
        #expect(one.token == other.token && one.identifier == id)
        #expect(provider.lastError == nil)
    }

    @Test("a provider renews a session that expires, and tells the program")
    func providerExpiry() async throws {
        let id = someone()
        let first = try await Sandbox.client().createSession(.init(identifier: id))
        try await Sandbox.age(id, seconds: 583)
        let renewed = Shared<[RenewedSession]>([])
        let provider = try Sandbox.provider(id) {
            $0.minValid = .seconds(13)
            $0.renewed = { session in renewed.change { $0.append(session) } }
        }
        let old = try await provider.get()
        #expect(old.id == first.id && old.secondsLeft <= 17)
        try await eventually { old.secondsLeft < 13 }
        let new = try await provider.get()
        #expect(new.id != old.id && new.secondsLeft > 590)
        let tokens = [old, new].map(\.authorization)
        #expect(renewed.now.map { tokens.firstIndex(of: $0.authorization) } == [0, 1])
        #expect(renewed.now.last?.identifier == id)
        #expect(renewed.now.last?.expiresAt == new.expiresAt)
        #expect((580...600).contains(renewed.now.last?.secondsLeft ?? 0))
    }

    @Test("a provider replaces a session that an answer refuses")
    func providerRejection() async throws {
        let id = someone()
        let client = try Sandbox.client()
        let provider = try SessionProvider(client, session: .init(identifier: id))
        let old = try await provider.get()
        try await Sandbox.end(id)
        let answer = try await client.send(Request("GET", search), session: old)
        #expect(answer.httpStatus == 403 && answer.serverMessage == "Session is not active")
        #expect(!provider.invalidate(old, ifRefusedBy: 200, body: answer.body))
        #expect(!provider.invalidate(old, ifRefusedBy: 403, body: Data()))
        #expect(provider.invalidate(old, ifRefusedBy: answer.httpStatus, body: answer.body))
        #expect(!provider.invalidate(old), "it does not hold that one any more")
        let new = try await provider.get()
        #expect(new.id != old.id)
        let other = try await onThread {
            try client.sendBlocking(Request("GET", search), session: new)
        }
        #expect(other.httpStatus == 200)
        #expect(provider.invalidate(new))
    }

    @Test("a valid session needs no thread of the client")
    func providerCurrent() async throws {
        let client = try Sandbox.client()
        let provider = try SessionProvider(client, session: .init(identifier: someone()))
        let first = try await provider.get()
        try await client.shutDown()
        #expect(try await provider.get().token == first.token)
        await #expect(throws: ZelfError.self) { try await client.send(Request("GET", search)) }
    }

    @Test("a provider without an identifier is refused")
    func providerWithoutIdentifier() async throws {
        let client = try Sandbox.client()
        let error = try await failure { _ = try SessionProvider(client, session: .init()) }
        #expect(error.status == .invalidArgument)
        var options = SessionProvider.Options()
        options.minValid = .seconds(86401)
        let other = try await failure {
            _ = try SessionProvider(
                client, session: .init(identifier: someone()), options: options)
        }
        #expect(other.status == .invalidArgument && other.message.contains("86401"))
    }

    @Test("a provider tells why a renewal failed, and when the next attempt is")
    func providerError() async throws {
        let client = try Sandbox.client { $0.maxAttempts = 1 }
        let provider = try SessionProvider(client, session: .init(identifier: someone()))
        let fault = #"{"kind":"answer","status":429,"headers":{"Retry-After":"9"}}"#
        let error = try await Sandbox.with(faults: fault) {
            try await failure { _ = try await provider.get() }
        }
        #expect(error.status == .rateLimited)
        let last = try #require(provider.lastError)
        #expect(last.status == .rateLimited)
        #expect(try #require(last.retryAfter) > .seconds(7))
    }

    @Test("a get that is cancelled ends at once")
    func providerCancellation() async throws {
        let provider = try Sandbox.provider(someone())
        try await Sandbox.with(
            faults: #"{"kind":"stall","stage":"headers","path":"/api/sessions"}"#
        ) {
            let start = ContinuousClock.now
            let task = Task { try await provider.get() }
            try await Task.sleep(for: .milliseconds(50))
            task.cancel()
            _ = try await failure(CancellationError.self) { _ = try await task.value }
            #expect(ContinuousClock.now - start < .seconds(2))
        }
    }

    @Test("a provider with background has its session before the first get")
    func providerBackground() async throws {
        let id = someone()
        let renewed = Shared(0)
        let provider = try Sandbox.provider(id) {
            $0.background = true
            $0.renewal = .early
            $0.renewed = { _ in renewed.change { $0 += 1 } }
        }
        try await eventually { renewed.now == 1 }
        #expect(try await provider.get().identifier == id)
    }

    @Test("providers with one directory share a session")
    func providerDirectory() async throws {
        let id = someone()
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent(id)
        try FileManager.default.createDirectory(
            at: directory, withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(at: directory) }
        let one = try await Sandbox.provider(id) { $0.directory = directory.path }.get()
        let requests = try await Sandbox.requests(with: id).count
        let other = try Sandbox.provider(id) { $0.directory = directory.path }
        #expect(try await other.get().id == one.id)
        // At most the confirmation of the first one's session.
        #expect(try await Sandbox.requests(with: id).count <= requests + 1)
    }

    @Test("a request has the token, and its answer is JSON")
    func request() async throws {
        let id = someone()
        let provider = try Sandbox.provider(id)
        let response = try await provider.send(Request("GET", search))
        #expect(response.httpStatus == 200 && response.serverMessage == nil)
        #expect(response.header("content-type")?.hasPrefix("application/json") == true)
        #expect(response.header("X-None") == nil)
        #expect(try response.decode(Found.self).data.zelfName == "abc.zelf")
    }

    @Test("a request is sent with all of its parts")
    func requestParts() async throws {
        let id = someone()
        let provider = try Sandbox.provider(id)
        var request = Request("POST", "/sandbox/echo?check=session&id=\(id)")
        request.headers = ["X-One": "1", "X-Two": "2"]
        request.body = Data((0...255).map { UInt8($0) })
        request.contentType = "application/x-test"
        let response = try await provider.send(request)
        #expect(response.body == request.body)
        #expect(response.header("Content-Type") == "application/x-test")
        let seen = try #require(
            try await Sandbox.requests(with: "/sandbox/echo?check=session&id=\(id)").first)
        #expect(seen.header("X-One") == "1" && seen.header("X-Two") == "2")
        #expect(seen.header("Authorization")?.hasPrefix("Bearer eyJ") == true)

        request.body = Data()
        #expect(try await provider.send(request).header("Content-Type") == "application/x-test")
        request.maxResponseBytes = 0
        #expect(
            try await failure { _ = try await provider.send(request) }.status == .invalidArgument)
        var large = Request("GET", "/sandbox/bytes/2000?id=\(id)")
        #expect(try await provider.send(large).body.count == 2000)
        large.maxResponseBytes = 1000
        #expect(
            try await failure { _ = try await provider.send(large) }.status == .responseTooLarge)
    }

    @Test("a request that is repeatable is repeated after a failure, and no other")
    func repeatable() async throws {
        let id = someone()
        let provider = try Sandbox.provider(id)
        _ = try await provider.get()
        var request = Request("POST", "/sandbox/echo?id=\(id)")
        let fault = #"{"kind":"answer","status":503,"query":"id=\#(id)","times":1}"#
        let once = try await Sandbox.with(faults: fault) { try await provider.send(request) }
        #expect(once.httpStatus == 503)
        request.repeatable = true
        let repeated = try await Sandbox.with(faults: fault) { try await provider.send(request) }
        #expect(repeated.httpStatus == 200)
    }

    @Test("a request renews a session that the server refuses on the way")
    func requestRenewed() async throws {
        let id = someone()
        let provider = try Sandbox.provider(id)
        let old = try await provider.get()
        try await Sandbox.end(id)
        let response = try await provider.send(Request("GET", search))
        #expect(response.httpStatus == 200)
        #expect(try await provider.get().id != old.id)
        try await Sandbox.end(id)
        let blocking = try await onThread { try provider.sendBlocking(Request("GET", search)) }
        #expect(blocking.httpStatus == 200)
    }

    @Test("a request that is cancelled or late ends at once")
    func requestCancellation() async throws {
        let id = someone()
        let provider = try Sandbox.provider(id)
        _ = try await provider.get()
        var request = Request("GET", "/sandbox/echo?id=\(id)")
        try await Sandbox.with(faults: #"{"kind":"stall","stage":"headers","query":"id=\#(id)"}"#) {
            let task = Task { [request] in try await provider.send(request) }
            try await eventually { try await Sandbox.requests(with: "echo?id=\(id)").count == 1 }
            let start = ContinuousClock.now
            task.cancel()
            _ = try await failure(CancellationError.self) { _ = try await task.value }
            request.timeout = .milliseconds(300)
            #expect(try await failure { _ = try await provider.send(request) }.status == .timeout)
            #expect(ContinuousClock.now - start < .seconds(2))
        }
    }

    @Test("the body of a response is a copy")
    func body() async throws {
        let provider = try Sandbox.provider(someone())
        var response: Response? = try await provider.send(Request("GET", "/sandbox/bytes/100000"))
        var changed = try #require(response?.body)
        changed[0] = 255
        let body = try #require(response?.body)
        response = nil
        #expect(body.count == 100_000)
        #expect(body.enumerated().allSatisfy { Int($1) == $0 % 251 })
    }

    @Test("a request without a session has no token")
    func withoutSession() async throws {
        let id = someone()
        let client = try Sandbox.client()
        let response = try await client.send(Request("GET", "/sandbox/echo?id=\(id)"))
        #expect(response.httpStatus == 200)
        #expect(try await Sandbox.requests(with: id).first?.header("Authorization") == nil)
    }
}
