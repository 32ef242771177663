import Foundation
import Testing
import Zelf

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

extension Promises {
    private func request(_ target: String) -> URLRequest {
        URLRequest(url: URL(string: Sandbox.https + target)!)
    }

    private func status(_ response: URLResponse) -> Int? {
        (response as? HTTPURLResponse)?.statusCode
    }

    @Test("URLSession sends the token and the origin")
    func urlSession() async throws {
        let id = someone()
        let provider = try Sandbox.provider(id)
        let (data, response) = try await provider.data(for: request(search + "&id=\(id)"))
        #expect(status(response) == 200)
        #expect(try JSONDecoder().decode(Found.self, from: data).data.available)
        let seen = try #require(try await Sandbox.requests(with: "&id=\(id)").first)
        #expect(seen.header("Origin") == "https://app.example.com")
        #expect(try await provider.get().authorization == seen.header("Authorization"))
    }

    @Test("URLSession repeats a request, with its body, when the session is refused")
    func urlSessionRenewed() async throws {
        let id = someone()
        let provider = try Sandbox.provider(id)
        let old = try await provider.get()
        try await Sandbox.end(id)
        var post = request("/sandbox/echo?check=session&id=\(id)")
        post.httpMethod = "POST"
        post.httpBody = Data("a body".utf8)
        let (data, response) = try await provider.data(for: post)
        #expect(status(response) == 200 && data == Data("a body".utf8))
        #expect(try await provider.get().id != old.id)
        #expect(try await Sandbox.requests(with: "echo?check=session&id=\(id)").count == 2)
    }

    @Test("URLSession repeats a request only once, and gives the refusal on")
    func urlSessionRefused() async throws {
        let id = someone()
        let provider = try Sandbox.provider(id)
        let fault = #"{"kind":"refusal","as":"not_active","query":"id=\#(id)"}"#
        let (data, response) = try await Sandbox.with(faults: fault) {
            try await provider.data(for: request("/sandbox/echo?id=\(id)"))
        }
        #expect(status(response) == 403)
        #expect(String(decoding: data, as: UTF8.self).contains("Session is not active"))
        #expect(try await Sandbox.requests(with: "echo?id=\(id)").count == 2)
    }

    @Test("URLSession gives other refusals on, and keeps the session")
    func urlSessionQuota() async throws {
        let id = someone()
        let provider = try Sandbox.provider(id)
        let session = try await provider.get()
        let fault = #"{"kind":"refusal","as":"search_limit","query":"id=\#(id)"}"#
        let (_, response) = try await Sandbox.with(faults: fault) {
            try await provider.data(for: request("/sandbox/echo?id=\(id)"))
        }
        #expect(status(response) == 403)
        #expect(try await Sandbox.requests(with: "echo?id=\(id)").count == 1)
        #expect(try await provider.get().id == session.id)
    }

    @Test("URLSession takes the token to no other origin")
    func urlSessionOrigin() async throws {
        let id = someone()
        let provider = try Sandbox.provider(id)
        for other in [
            Sandbox.http, Sandbox.https.replacingOccurrences(of: "localhost", with: "127.0.0.1"),
            "https://example.com", "ftp://localhost",
        ] {
            let url = URL(string: "\(other)/sandbox/echo?id=\(id)")!
            let error = try await failure { _ = try await provider.data(for: URLRequest(url: url)) }
            #expect(error.status == .invalidArgument)
        }
        #expect(try await Sandbox.requests(with: id).isEmpty)
    }

    @Test("URLSession does not follow a redirect with the token")
    func urlSessionRedirect() async throws {
        let id = someone()
        let provider = try Sandbox.provider(id)
        let location = "\(Sandbox.http)/sandbox/echo?to=\(id)"
        let fault = #"{"kind":"redirect","location":"\#(location)","query":"id=\#(id)"}"#
        let (_, response) = try await Sandbox.with(faults: fault) {
            try await provider.data(for: request("/sandbox/echo?id=\(id)"))
        }
        #expect(status(response) == 301)
        #expect(try await Sandbox.requests(with: "to=\(id)").isEmpty)
    }

    @Test("URLSession ends at once, with CancellationError, when its task is cancelled")
    func urlSessionCancellation() async throws {
        let id = someone()
        let provider = try Sandbox.provider(id)
        let fault = #"{"kind":"stall","stage":"headers","query":"id=\#(id)"}"#
        try await Sandbox.with(faults: fault) {
            let request = request("/sandbox/echo?id=\(id)")
            let task = Task { _ = try await provider.data(for: request) }
            try await eventually { try await Sandbox.requests(with: "echo?id=\(id)").count == 1 }
            let start = ContinuousClock.now
            task.cancel()
            _ = try await failure(CancellationError.self) { try await task.value }
            #expect(ContinuousClock.now - start < .seconds(2))
        }
    }
}
