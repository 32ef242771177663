import CZelf

/// Owns an object of the library, and frees it with its last reference.
final class Handle: Sendable {
    typealias Free = @convention(c) (OpaquePointer?) -> Void

    // The objects behind it may be used by any thread, as zelf.h says.
    nonisolated(unsafe) private let pointer: OpaquePointer
    nonisolated(unsafe) private let free: Free

    init(_ pointer: OpaquePointer, _ free: Free) {
        self.pointer = pointer
        self.free = free
    }

    /// Calls a function that returns an object or stores an error.
    init(
        _ free: Free, _ make: (UnsafeMutablePointer<OpaquePointer?>) -> OpaquePointer?
    ) throws(ZelfError) {
        var error: OpaquePointer?
        guard let pointer = make(&error) else { throw ZelfError(taking: error) }
        self.pointer = pointer
        self.free = free
    }

    /// Makes options, a configuration or a request.
    init(_ free: Free, setters pointer: OpaquePointer?) throws(ZelfError) {
        // NULL only by a bug, as zelf.h says.
        guard let pointer else { throw ZelfError(.panic, "the library returned no object") }
        self.pointer = pointer
        self.free = free
    }

    deinit { free(pointer) }

    /// Keeps the object during a call: the optimizer may end the life of self before that.
    func use<Result>(_ body: (OpaquePointer) -> Result) -> Result {
        withExtendedLifetime(self) { body(pointer) }
    }

    /// Copies a text that belongs to the object.
    func text(_ getter: (OpaquePointer?) -> UnsafePointer<CChar>?) -> String? {
        use { getter($0).map { String(cString: $0) } }
    }
}

/// Converts values to C. A value that C cannot carry is an error with this status.
struct Values {
    let status: ZelfError.Status

    /// C would end the text at the NUL.
    func text(_ text: String?, _ name: String) throws(ZelfError) -> String? {
        if text?.utf8.contains(0) == true { throw ZelfError(status, "\(name) contains a NUL") }
        return text
    }

    /// Rounds up to whole milliseconds. nil is 0, the default.
    func milliseconds(
        _ duration: Duration?, _ name: String, from least: UInt32 = 1
    ) throws(ZelfError) -> UInt32 {
        guard let duration else { return 0 }
        let ms = try rounded(duration, perSecond: 1000, name)
        guard ms >= least else { throw ZelfError(status, "\(name) is too short: \(duration)") }
        return ms
    }

    /// Rounds up to whole seconds.
    func seconds(_ duration: Duration, _ name: String) throws(ZelfError) -> UInt32 {
        try rounded(duration, perSecond: 1, name)
    }

    private func rounded(
        _ duration: Duration, perSecond: Int64, _ name: String
    ) throws(ZelfError) -> UInt32 {
        let (seconds, attoseconds) = duration.components
        guard duration >= .zero, seconds < Int64(UInt32.max) / perSecond else {
            throw ZelfError(status, "\(name) is out of range: \(duration)")
        }
        let unit = 1_000_000_000_000_000_000 / perSecond
        return UInt32(seconds * perSecond + (attoseconds + unit - 1) / unit)
    }
}

/// Gives a value to the library as user_data.
final class Box<Value: Sendable>: AnyBox, @unchecked Sendable {
    private let value: Value

    init(_ value: Value) { self.value = value }

    static func value(of data: UnsafeMutableRawPointer?) -> Value {
        (Unmanaged<AnyBox>.fromOpaque(data!).takeUnretainedValue() as! Box<Value>).value
    }
}

/// A box of any value, which ``destroyBox`` can release.
class AnyBox {
    /// Keeps the box until ``destroyBox``.
    func retained() -> UnsafeMutableRawPointer { Unmanaged.passRetained(self).toOpaque() }
}

let destroyBox: @convention(c) (UnsafeMutableRawPointer?) -> Void = { data in
    Unmanaged<AnyBox>.fromOpaque(data!).release()
}
