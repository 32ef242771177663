import Foundation
import Testing
import Zelf

private let stall = #"{"kind":"stall","stage":"headers","path":"/api/sessions"}"#

extension Promises {
    @Test("a cancelled task ends at once, with CancellationError")
    func cancellation() async throws {
        let client = try Sandbox.client()
        let id = someone()
        try await Sandbox.with(faults: stall) {
            let task = Task { try await client.createSession(.init(identifier: id)) }
            try await eventually { try await Sandbox.requests(with: id).count == 1 }
            let start = ContinuousClock.now
            task.cancel()
            _ = try await failure(CancellationError.self) { _ = try await task.value }
            #expect(ContinuousClock.now - start < .seconds(2))
        }
    }

    @Test("a task that is cancelled before its call makes no request")
    func cancelledBefore() async throws {
        let client = try Sandbox.client()
        let id = someone()
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            _ = try await client.createSession(.init(identifier: id))
        }
        task.cancel()
        _ = try await failure(CancellationError.self) { try await task.value }
        #expect(try await Sandbox.requests(with: id).isEmpty)
    }

    @Test("a log callback can cancel the task that it is about")
    func cancellationInLog() async throws {
        let task = Shared<Task<Session, any Error>?>(nil)
        let client = try Sandbox.client {
            $0.logLevel = .warning
            $0.log = { _, _ in task.now?.cancel() }
        }
        let fault = #"{"kind":"answer","status":503,"headers":{"Retry-After":"9"}}"#
        try await Sandbox.with(faults: fault) {
            let start = ContinuousClock.now
            let started = Task {
                while task.now == nil { await Task.yield() }
                return try await client.createSession(.init(identifier: someone()))
            }
            task.change { $0 = started }
            _ = try await failure(CancellationError.self) { _ = try await started.value }
            #expect(ContinuousClock.now - start < .seconds(5))
        }
    }

    @Test("a shutdown ends calls with cancelled, and later ones with shutDown")
    func shutdown() async throws {
        let client = try Sandbox.client()
        let id = someone()
        try await Sandbox.with(faults: stall) {
            let task = Task { try await client.createSession(.init(identifier: id)) }
            try await eventually { try await Sandbox.requests(with: id).count == 1 }
            let start = ContinuousClock.now
            try await client.shutDown()
            #expect(ContinuousClock.now - start < .seconds(2))
            #expect(try await failure { _ = try await task.value }.status == .cancelled)
        }
        #expect(
            try await failure { _ = try await client.createSession(.init(identifier: id)) }.status
                == .shutDown)
    }

    @Test("a shutdown while many tasks call is an error for each of them")
    func shutdownWithCallers() async throws {
        let client = try Sandbox.client()
        let ended = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<200 {
                group.addTask {
                    do {
                        _ = try await client.createSession(.init(identifier: someone()))
                        return false
                    } catch let error as ZelfError {
                        return error.status == .cancelled || error.status == .shutDown
                    }
                }
            }
            group.addTask {
                try await client.shutDown(timeout: .seconds(10))
                return false
            }
            return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(ended > 0)
    }

    @Test("a call keeps its client")
    func callKeepsClient() async throws {
        let id = someone()
        let session = try await Sandbox.with(
            faults: #"{"kind":"delay","ms":200,"path":"/api/sessions"}"#
        ) {
            // Nobody else has this client.
            try await Sandbox.client().createSession(.init(identifier: id))
        }
        #expect(session.identifier == id)
    }

    @Test("twenty calls run at once")
    func twenty() async throws {
        let client = try Sandbox.client()
        let ids = (0..<20).map { _ in someone() }
        let start = ContinuousClock.now
        let got = try await Sandbox.with(
            faults: #"{"kind":"delay","ms":500,"path":"/api/sessions"}"#
        ) {
            try await withThrowingTaskGroup(of: String?.self) { group in
                for id in ids {
                    group.addTask {
                        try await client.createSession(.init(identifier: id)).identifier
                    }
                }
                return try await group.reduce(into: Set<String?>()) { $0.insert($1) }
            }
        }
        #expect(got == Set(ids))
        #expect(ContinuousClock.now - start < .seconds(8), "one after another takes 10 s")
    }

    @Test("a thousand tasks get their own sessions")
    func thousand() async throws {
        let client = try Sandbox.client()
        let ids = (0..<1000).map { _ in someone() }
        let got = try await withThrowingTaskGroup(of: Bool.self) { group in
            for id in ids {
                group.addTask {
                    try await client.createSession(.init(identifier: id)).identifier == id
                }
            }
            return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(got == 1000)
    }

    @Test("a storm of cancellations ends each call once")
    func storm() async throws {
        let client = try Sandbox.client()
        let ended = try await withThrowingTaskGroup(of: [Bool].self) { group in
            for number in 0..<20 {
                group.addTask {
                    let id = someone()
                    var ended: [Bool] = []
                    for round in 0..<50 {
                        let task = Task {
                            try await client.createSession(.init(identifier: id))
                        }
                        // From before the start of the call to after its end.
                        let delays = [0, 0, 20, 100, 500, 2000, 8000, 30_000, nil]
                        if let delay = delays[(number + round) % delays.count] {
                            if delay > 0 { try await Task.sleep(for: .microseconds(delay)) }
                        } else {
                            _ = await task.result
                        }
                        task.cancel()
                        switch await task.result {
                        case .success: ended.append(true)
                        case .failure(let error):
                            ended.append(!(error is CancellationError))
                            #expect(error is CancellationError, "\(error)")
                        }
                    }
                    return ended
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(ended.count == 1000)
        #expect(ended.contains(true) && ended.contains(false), "some in time, some not")
        // The client still works.
        _ = try await client.createSession(.init(identifier: someone()))
    }

    @Test("a cancellation while a call starts ends it at once")
    func cancellationAtStart() async throws {
        try await Sandbox.with(faults: stall) {
            let start = ContinuousClock.now
            for number in 0..<300 {
                // The first call of a client takes longest to start.
                let client = try Sandbox.client()
                let isStarting = Shared(false)
                let task = Task {
                    isStarting.change { $0 = true }
                    _ = try await client.createSession(.init(identifier: "a"))
                }
                try await onThread {
                    while !isStarting.now {}
                    for _ in 0..<(number * 4) { _ = isStarting.now }
                    task.cancel()
                }
                _ = try await failure(CancellationError.self) { try await task.value }
            }
            #expect(ContinuousClock.now - start < .seconds(14), "the time limit is 15 s")
        }
    }

    @Test("a program with an event loop hands over the results itself")
    func dispatch() async throws {
        let client = try Sandbox.client { $0.dispatch = true }
        let descriptor = try #require(client.descriptor)
        let source = DispatchSource.makeReadSource(
            fileDescriptor: descriptor, queue: DispatchQueue(label: "loop"))
        source.setEventHandler { try? client.dispatch() }
        source.activate()
        let id = someone()
        #expect(try await client.createSession(.init(identifier: id)).identifier == id)
        await withCheckedContinuation { continuation in
            source.setCancelHandler { continuation.resume() }
            source.cancel()
        }
        #expect(try Sandbox.client().descriptor == nil)
        #expect(throws: ZelfError.self) { try Sandbox.client().dispatch() }
    }
}
