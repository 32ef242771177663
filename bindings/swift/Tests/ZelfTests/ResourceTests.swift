#if os(Linux)
    import Foundation
    import Testing
    import Zelf

    /// Resident KiB and open descriptors of this process.
    private func resources() throws -> (kib: Int, descriptors: Int) {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        let kib = line?.split(separator: " ").compactMap { Int($0) }.first
        let descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
        return (try #require(kib), descriptors.count)
    }

    /// Runs the body 2000 times to warm up and 10 000 times more. Sixteen tasks or threads do
    /// it, and share requests: they have one identifier.
    private func isFlat(
        _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        try await isFlat { rounds in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<16 {
                    group.addTask { for _ in 0..<(rounds / 16) { try await body() } }
                }
                try await group.waitForAll()
            }
        }
    }

    private func isFlat(rounds run: (Int) async throws -> Void) async throws {
        try await run(2000)
        let before = try resources()
        try await run(10_000)
        let after = try resources()
        #expect(after.kib - before.kib < 1024, "\(before) \(after)")
        #expect(after.descriptors <= before.descriptors + 4, "\(before) \(after)")
        // So that later tests find theirs soon.
        try await Sandbox.control("DELETE", "/sandbox/requests")
    }

    extension Promises {
        @Test("10 000 sessions leave memory and descriptors flat")
        func sessions() async throws {
            let client = try Sandbox.client()
            let id = someone()
            try await isFlat {
                let session = try await client.createSession(.init(identifier: id))
                #expect(session.identifier == id)
            }
        }

        @Test("10 000 blocking sessions leave memory and descriptors flat")
        func blockingSessions() async throws {
            let client = try Sandbox.client()
            let id = someone()
            try await isFlat { rounds in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<16 {
                        group.addTask {
                            try await onThread {
                                for _ in 0..<(rounds / 16) {
                                    let session = try client.createSessionBlocking(
                                        .init(identifier: id))
                                    #expect(session.identifier == id)
                                }
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            }
        }

        @Test("10 000 errors, cancellations and gets leave memory and descriptors flat")
        func others() async throws {
            let client = try Sandbox.client()
            let id = someone()
            let provider = try Sandbox.provider(id)
            try await isFlat {
                _ = try? await client.createSession(.init(identifier: ""))
                _ = try await provider.get().token
                _ = provider.lastError
                let task = Task { try await client.createSession(.init(identifier: id)) }
                await Task.yield()
                task.cancel()
                _ = await task.result
            }
        }

        @Test("10 000 clients and providers leave memory and descriptors flat")
        func clients() async throws {
            try await isFlat {
                let client = try Client(.init(baseURL: "http://127.0.0.1:1"))
                _ = try SessionProvider(client, session: .init(identifier: "a"))
            }
        }
    }
#endif
