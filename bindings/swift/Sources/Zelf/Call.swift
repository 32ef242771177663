import CZelf
import Foundation

/// One asynchronous call, from its start to its result.
final class Call: Sendable {
    typealias Callback = @convention(c) (OpaquePointer?, OpaquePointer?, UnsafeMutableRawPointer?)
        -> Void
    typealias Destroy = @convention(c) (UnsafeMutableRawPointer?) -> Void
    typealias Start = (
        Callback, UnsafeMutableRawPointer, Destroy, UnsafeMutablePointer<OpaquePointer?>
    ) -> OpaquePointer?

    private struct State {
        var continuation: CheckedContinuation<Handle, any Error>?
        var call: OpaquePointer?
        var isCancelled = false
    }
    // Guards the state, and is never held while the library runs: its log callback may cancel.
    private let lock = NSLock()
    nonisolated(unsafe) private var state = State()
    nonisolated(unsafe) private let free: Handle.Free

    private init(_ free: Handle.Free) { self.free = free }

    deinit { zelf_call_free(state.call) }

    /// Starts a call and waits for the object that it returns. The cancellation of the task
    /// cancels it.
    ///
    /// - Parameter owner: kept until the result is there: freeing a client cancels its calls.
    static func run(
        _ free: Handle.Free, owner: Handle, start: (OpaquePointer) -> Start
    ) async throws -> Handle {
        let call = Call(free)
        defer { withExtendedLifetime(owner) {} }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                owner.use { call.start(continuation, start($0)) }
            }
        } onCancel: {
            call.cancel()
        }
    }

    private func start(_ continuation: CheckedContinuation<Handle, any Error>, _ start: Start) {
        let isCancelled = lock.withLock {
            // The result may come before the call's handle does.
            if !state.isCancelled { state.continuation = continuation }
            return state.isCancelled
        }
        if isCancelled { return continuation.resume(throwing: CancellationError()) }

        let data = Unmanaged.passRetained(self)
        var error: OpaquePointer?
        let started = start(
            { object, error, data in
                Unmanaged<Call>.fromOpaque(data!).takeUnretainedValue().finish(object, error)
            },
            data.toOpaque(),
            { data in Unmanaged<Call>.fromOpaque(data!).release() },
            &error)
        guard let started else {
            data.release()
            return finish(nil, error)
        }
        let isLate = lock.withLock {
            state.call = started
            return state.isCancelled
        }
        // The task was cancelled while the call started.
        if isLate { zelf_call_cancel(started) }
    }

    private func cancel() {
        let call = lock.withLock {
            state.isCancelled = true
            return state.call
        }
        // Does nothing after the result. self keeps the handle.
        withExtendedLifetime(self) { zelf_call_cancel(call) }
    }

    private func finish(_ object: OpaquePointer?, _ error: OpaquePointer?) {
        let (continuation, isCancelled) = lock.withLock {
            defer { state.continuation = nil }
            return (state.continuation, state.isCancelled)
        }
        if let object {
            continuation?.resume(returning: Handle(object, free))
            return
        }
        let failure = ZelfError(taking: error)
        // A shutdown cancels too, without the task.
        if isCancelled && failure.status == .cancelled {
            continuation?.resume(throwing: CancellationError())
        } else {
            continuation?.resume(throwing: failure)
        }
    }
}
