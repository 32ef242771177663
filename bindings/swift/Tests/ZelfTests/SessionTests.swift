import Foundation
import Testing
import Zelf

extension Promises {
    @Test("a session has a token, an identifier and its times")
    func session() async throws {
        let id = someone()
        let before = Date()
        let session = try await Sandbox.client().createSession(.init(identifier: id))
        #expect(session.token.hasPrefix("eyJ"))
        #expect(session.token.split(separator: ".").count == 3)
        #expect(session.authorization == "Bearer \(session.token)")
        #expect(session.identifier == id)
        #expect(session.id?.count == 24)
        let start = try #require(session.activatedAt)
        #expect(abs(start.timeIntervalSince(before)) < 10)
        #expect(session.expiresAt.timeIntervalSince(start) == 600)
        #expect((580...600).contains(session.secondsLeft))
    }

    @Test("a session is made with every option")
    func options() async throws {
        let id = someone()
        var options = Session.Options(identifier: id)
        options.type = .createWallet
        options.webExtension = true
        options.domain = "example"
        options.tagName = "\(id).zelf"
        options.ethAddress = "0xabc"
        options.killSession = true
        options.confirm = true
        let session = try await Sandbox.client().createSession(options)
        #expect(session.domain == "example")
        #expect(session.tagName == "\(id).zelf")
        #expect(session.ethAddress == "0xabc")
        let requests = try await Sandbox.requests(with: id)
        #expect(requests.count == 2, "a second one confirms it")
        struct Sent: Decodable, Equatable {
            var identifier, domain, tagName, ethAddress, type: String
            var isWebExtension, killSession: Bool
        }
        let body = try #require(requests.first?.body)
        #expect(
            try JSONDecoder().decode(Sent.self, from: Data(body.utf8))
                == Sent(
                    identifier: id, domain: "example", tagName: "\(id).zelf", ethAddress: "0xabc",
                    type: "createWallet", isWebExtension: true, killSession: true))
    }

    @Test("a thread without tasks creates a session")
    func blocking() async throws {
        let id = someone()
        let client = try Sandbox.client()
        let session = try await onThread { try client.createSessionBlocking(.init(identifier: id)) }
        #expect(session.identifier == id)
    }

    @Test("identifiers are random, or derived from a device id")
    func identifiers() throws {
        let (one, other) = (try Identifier.random(), try Identifier.random())
        #expect(one.count == 32 && one != other)
        #expect(try Identifier.derive(from: "serial") == Identifier.derive(from: "serial"))
        #expect(try Identifier.derive(from: "serial") != Identifier.derive(from: "another"))
        #expect(throws: ZelfError.self) { try Identifier.derive(from: "") }
    }

    @Test("a client tells its base URL and its origin")
    func baseURL() throws {
        let client = try Client()
        #expect(client.baseURL == "https://api.zelf.world")
        #expect(client.origin == "https://api.zelf.world")
        let other = try Client(.init(baseURL: "http://[::1]:81/v3/", origin: "https://a.example"))
        #expect(other.baseURL == "http://[::1]:81/v3")
        #expect(other.origin == "https://a.example")
    }

    @Test("the library tells its version")
    func version() {
        #expect(Library.version.split(separator: ".").count == 3)
    }

    @Test("each setting reaches the library")
    func settings() async throws {
        let id = someone()
        let lines = Shared<[String]>([])
        var client = try Sandbox.client {
            $0.caFile = nil
            $0.caPEM = try? String(contentsOfFile: Sandbox.ca, encoding: .utf8)
            $0.pins = [Sandbox.pin, Sandbox.pin]
            $0.origin = "https://setting.example"
            $0.userAgent = "setting/1"
            $0.connectTimeout = .seconds(4)
            $0.timeout = .microseconds(9_999_999)
            $0.logLevel = .debug
            $0.log = { level, line in lines.change { $0.append("\(level.rawValue) \(line)") } }
        }
        _ = try await client.createSession(.init(identifier: id))
        let request = try #require(try await Sandbox.requests(with: id).first)
        #expect(request.header("Origin") == "https://setting.example")
        #expect(request.header("User-Agent") == "setting/1")
        #expect(lines.now.contains { $0.hasPrefix("4 ") })

        client = try Sandbox.client { $0.pins = ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="] }
        #expect(try await failure { _ = try await client.createSession() }.status == .pinMismatch)
        client = try Sandbox.client { $0.proxy = "http://127.0.0.1:1" }
        #expect(try await failure { _ = try await client.createSession() }.status == .connect)
        setenv("https_proxy", "socks5://127.0.0.1:1", 1)
        setenv("no_proxy", "", 1)
        client = try Sandbox.client { $0.proxyFromEnv = true }
        unsetenv("https_proxy")
        unsetenv("no_proxy")
        #expect(try await failure { _ = try await client.createSession() }.status == .connect)

        let once = someone()
        client = try Sandbox.client { $0.maxAttempts = 1 }
        let refused = try await Sandbox.with(faults: #"{"kind":"answer","status":503}"#) {
            try await failure { _ = try await client.createSession(.init(identifier: once)) }
        }
        #expect(refused.status == .server)
        #expect(try await Sandbox.requests(with: once).count == 1)
    }

    @Test("the log is released with its client")
    func logIsReleased() async throws {
        final class Sink: Sendable { func take(_ line: String) {} }
        weak var weakSink: Sink?
        var client: Client?
        do {
            let sink = Sink()
            weakSink = sink
            client = try Sandbox.client {
                $0.logLevel = .debug
                $0.log = { _, line in sink.take(line) }
            }
        }
        _ = try await client?.createSession(.init(identifier: someone()))
        #expect(weakSink != nil)
        try await client?.shutDown()
        client = nil
        try await eventually { weakSink == nil }
    }

    @Test("no text form of an object has the token")
    func secrecy() async throws {
        let lines = Shared<[String]>([])
        let renewed = Shared<[RenewedSession]>([])
        let client = try Sandbox.client {
            $0.logLevel = .debug
            $0.log = { _, line in lines.change { $0.append(line) } }
            $0.proxy = nil
        }
        let id = someone()
        var options = SessionProvider.Options()
        options.renewed = { session in renewed.change { $0.append(session) } }
        let provider = try SessionProvider(
            client, session: .init(identifier: id), options: options)
        let session = try await provider.get()
        let response = try await provider.send(Request("GET", "/sandbox/echo?status=400&id=\(id)"))
        var configuration = Client.Configuration()
        configuration.proxy = "http://user:pass-word@127.0.0.1:1"
        var request = Request("POST", "/api/x")
        request.body = Data("pass-word".utf8)
        request.headers["X-Key"] = "pass-word"
        let refused = try await failure {
            _ = try await client.createSession(.init(identifier: ""))
        }

        #expect(renewed.now.count == 1)
        #expect(renewed.now.first?.authorization == session.authorization)
        var texts = lines.now
        for object: Any in [
            session, client, provider, response, configuration, request, refused,
            renewed.now, [session], ["key": session], Optional(session) as Any,
        ] {
            texts += ["\(object)", String(reflecting: object), String(describing: object)]
            var dumped = ""
            dump(object, to: &dumped)
            texts.append(dumped)
        }
        texts += [refused.localizedDescription, refused.description]
        #expect(texts.count > 30)
        let signature = try #require(session.token.split(separator: ".").last)
        for text in texts {
            #expect(!text.contains(signature), "\(text)")
            #expect(!text.contains("eyJ"), "\(text)")
            #expect(!text.contains("pass-word"), "\(text)")
        }
        #expect("\(session)".contains(id))
    }
}
