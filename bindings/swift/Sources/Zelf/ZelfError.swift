import CZelf
import Foundation

/// Why a call failed. It never contains a token.
///
/// Branch on the status:
///
/// ```swift
/// do {
///     session = try await client.createSession(options)
/// } catch let error as ZelfError where error.status == .rateLimited {
///     try await Task.sleep(for: error.retryAfter ?? .seconds(1))
/// }
/// ```
///
/// A call whose task is cancelled throws `CancellationError` instead.
public struct ZelfError: Error, Equatable, Sendable {
    /// The kind of the failure.
    public let status: Status
    /// A sentence that says what failed and what to do. Its wording may change.
    public let message: String
    /// The HTTP status of the answer, such as 403. `nil` if no answer came.
    public let httpStatus: Int?
    /// The words of the server, or of a proxy. Display them as plain text only: anyone on the
    /// way may have written them.
    public let serverMessage: String?
    /// Whether the same call may succeed later, unchanged.
    public let isRetryable: Bool
    /// How long to wait before the next attempt. `nil` if nobody asks to wait.
    public let retryAfter: Duration?

    /// Makes an error of this package.
    init(_ status: Status, _ message: String) {
        self.status = status
        self.message = message
        httpStatus = nil
        serverMessage = nil
        isRetryable = false
        retryAfter = nil
    }

    /// Copies an error of the library and frees it.
    init(taking error: OpaquePointer?) {
        defer { zelf_error_free(error) }
        let http = zelf_error_http_status(error)
        let wait = zelf_error_retry_after_ms(error)
        // NULL only by a bug.
        status = error == nil ? .panic : Status(rawValue: zelf_error_status(error))
        message = zelf_error_message(error).map { String(cString: $0) } ?? status.message
        httpStatus = http == 0 ? nil : Int(http)
        serverMessage = zelf_error_server_message(error).map { String(cString: $0) }
        isRetryable = zelf_error_is_retryable(error)
        retryAfter = wait == 0 ? nil : .milliseconds(wait)
    }

    /// Throws the failure that a status says.
    static func check(_ number: Int32) throws(ZelfError) {
        guard number != ZELF_OK else { return }
        let status = Status(rawValue: number)
        throw ZelfError(status, status.message)
    }
}

extension ZelfError: CustomStringConvertible, LocalizedError {
    /// The sentence, with the name of the status.
    public var description: String { "\(message) (\(status))" }
    public var errorDescription: String? { message }
    public var failureReason: String? { serverMessage }
}

extension ZelfError.Status: CustomStringConvertible {
    /// The loaded library is older than the header that this package was compiled with.
    ///
    /// This package finds that out. The library has no such status.
    public static let oldLibrary = Self(rawValue: -1)

    /// The name in C, such as `ZELF_ERROR_TIMEOUT`. `ZELF_ERROR_UNKNOWN` if the library does not
    /// know the number.
    public var name: String { String(cString: zelf_status_name(rawValue)) }

    /// The meaning, such as "a time limit has passed".
    public var message: String { String(cString: zelf_status_message(rawValue)) }

    /// The name, and the number of one that the library does not know.
    public var description: String {
        if self == .oldLibrary { return "oldLibrary" }
        return name == "ZELF_ERROR_UNKNOWN" ? "\(name) (\(rawValue))" : name
    }

    /// Lets a `catch` name a status: `catch ZelfError.Status.timeout`.
    public static func ~= (status: Self, error: any Error) -> Bool {
        (error as? ZelfError)?.status == status
    }
}

/// The library that is loaded.
public enum Library {
    /// Its version, such as "0.1.0".
    public static var version: String { String(cString: zelf_version()) }

    /// Refuses a library without functions that the header declares.
    static func check() throws(ZelfError) {
        let numbers = version.split(separator: ".").prefix(2).map { Int32($0) ?? 0 }
        if numbers.lexicographicallyPrecedes([ZELF_VERSION_MAJOR, ZELF_VERSION_MINOR]) {
            throw ZelfError(
                .oldLibrary, "libzelf \(version) is too old: this program needs \(ZELF_VERSION)")
        }
    }
}
