import CZelf
import Foundation

/// A request to any route of the server.
///
/// Sending checks it and names the first wrong thing.
public struct Request: Sendable {
    /// An HTTP method such as "GET", in the case that the server expects.
    public var method: String

    /// Path and query, percent-encoded, such as "/api/tags/search?tagName=a.zelf".
    public var target: String

    /// Headers. The library refuses those that it sets itself, such as Authorization.
    public var headers: [String: String] = [:]

    /// The body. The library wipes its copy.
    public var body: Data?

    /// The Content-Type header of the body.
    public var contentType: String?

    /// The time limit of the whole call: session, all attempts and response. Default: 30 s.
    public var timeout: Duration?

    /// The longest body of a response, in bytes. Default: 8 MiB.
    public var maxResponseBytes: Int?

    /// Whether the server may carry the request out more than once. Default: only GET and HEAD.
    public var repeatable: Bool?

    public init(_ method: String, _ target: String) {
        self.method = method
        self.target = target
    }

    func handle() throws(ZelfError) -> Handle {
        let values = Values(status: .invalidArgument)
        let method = try values.text(method, "method")
        let target = try values.text(target, "target")
        let contentType = try values.text(contentType, "contentType")
        let timeout = try values.milliseconds(timeout, "timeout")
        for (name, value) in headers {
            _ = try values.text(name, "the name of a header")
            _ = try values.text(value, "the header \(name)")
        }
        if let maxResponseBytes, maxResponseBytes <= 0 {
            throw ZelfError(
                .invalidArgument, "maxResponseBytes is out of range: \(maxResponseBytes)")
        }

        let handle = try Handle(zelf_request_free, setters: zelf_request_new(method, target))
        handle.use { request in
            for (name, value) in headers { zelf_request_set_header(request, name, value) }
            if let body {
                body.withUnsafeBytes { bytes in
                    // NULL would remove the body. An empty one is a body.
                    bytes.withMemoryRebound(to: UInt8.self) { bytes in
                        var empty: UInt8 = 0
                        withUnsafePointer(to: &empty) {
                            zelf_request_set_body(
                                request, bytes.baseAddress ?? $0, bytes.count, contentType)
                        }
                    }
                }
            }
            zelf_request_set_timeout_ms(request, timeout)
            zelf_request_set_max_response_bytes(request, maxResponseBytes ?? 0)
            if let repeatable { zelf_request_set_repeatable(request, repeatable) }
        }
        return handle
    }
}

extension Request: CustomReflectable {
    /// Without the body and the values of headers, which may be secrets.
    public var customMirror: Mirror {
        Mirror(
            self,
            children: [
                "method": method, "target": target, "headers": headers.keys.sorted(),
                "bodyBytes": body?.count as Any, "contentType": contentType as Any,
                "timeout": timeout as Any, "maxResponseBytes": maxResponseBytes as Any,
                "repeatable": repeatable as Any,
            ])
    }
}

/// A complete answer of the server, with any status.
public final class Response: Sendable {
    private let handle: Handle

    init(_ handle: Handle) { self.handle = handle }

    /// The HTTP status, such as 200.
    public var httpStatus: Int { handle.use { Int(zelf_response_http_status($0)) } }

    /// Returns the first header with this name, in any case.
    public func header(_ name: String) -> String? {
        name.utf8.contains(0) ? nil : handle.text { zelf_response_header($0, name) }
    }

    /// A copy of the body. The library wipes the original with the response.
    public var body: Data {
        handle.use { response in
            var length = 0
            return zelf_response_body(response, &length).map { Data(bytes: $0, count: length) }
                ?? Data()
        }
    }

    /// The server's words in a response with status 400 or more.
    public var serverMessage: String? { handle.text(zelf_response_server_message) }

    /// Decodes the body from JSON.
    public func decode<Value: Decodable>(
        _ type: Value.Type = Value.self, decoder: JSONDecoder = JSONDecoder()
    ) throws -> Value {
        try decoder.decode(type, from: body)
    }
}

extension Response: CustomStringConvertible {
    public var description: String { "Response(httpStatus: \(httpStatus))" }
}
