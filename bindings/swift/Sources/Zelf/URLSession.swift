import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

extension SessionProvider {
    /// Sends a request by URLSession, with the token and the Origin header.
    ///
    /// If the server refuses the session, it renews it and repeats the request once, unless the
    /// body is a stream. It does not follow a redirect, which would take the token along: the
    /// redirect is the response.
    ///
    /// The request must go to the origin of the base URL. The proxy and the trusted certificates
    /// are those of URLSession, not the client's.
    ///
    /// - Throws: ``ZelfError`` with ``ZelfError/Status/invalidArgument`` for another origin; the
    ///   errors of ``get()`` and of URLSession; `CancellationError` if the task is cancelled.
    public func data(
        for request: URLRequest, session urlSession: URLSession = .shared
    ) async throws -> (Data, URLResponse) {
        guard let server = Origin(of: URL(string: client.baseURL)),
            Origin(of: request.url) == server
        else {
            throw ZelfError(
                .invalidArgument, "the request does not go to the origin of the base URL")
        }
        let session = try await get()
        let answer = try await Transfer.run(authorized(request, session), urlSession)
        guard isRefused(answer, session), request.httpBodyStream == nil else { return answer }
        return try await Transfer.run(authorized(request, try await get()), urlSession)
    }

    private func authorized(_ request: URLRequest, _ session: Session) -> URLRequest {
        var request = request
        request.setValue(session.authorization, forHTTPHeaderField: "Authorization")
        request.setValue(client.origin, forHTTPHeaderField: "Origin")
        return request
    }

    private func isRefused(_ answer: (Data, URLResponse), _ session: Session) -> Bool {
        guard let response = answer.1 as? HTTPURLResponse else { return false }
        return invalidate(session, ifRefusedBy: response.statusCode, body: answer.0)
    }
}

/// The scheme, host and port of a URL.
private struct Origin: Equatable {
    let scheme: String
    let host: String
    let port: Int

    init?(of url: URL?) {
        guard let url, let scheme = url.scheme?.lowercased(), let host = url.host?.lowercased(),
            let usual = ["http": 80, "https": 443][scheme]
        else { return nil }
        self.scheme = scheme
        self.host = host
        port = url.port ?? usual
    }
}

/// One task of URLSession that follows no redirect.
///
/// `data(for:delegate:)` follows them on Linux: there its delegate is not asked.
private final class Transfer: NSObject, URLSessionTaskDelegate, @unchecked Sendable {
    // Guards the members.
    private let lock = NSLock()
    private var task: URLSessionTask?
    private var isCancelled = false

    static func run(
        _ request: URLRequest, _ session: URLSession
    ) async throws -> (Data, URLResponse) {
        let transfer = Transfer()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let task = session.dataTask(with: request) { data, response, error in
                    if let data, let response, error == nil {
                        continuation.resume(returning: (data, response))
                    } else if transfer.lock.withLock({ transfer.isCancelled }) {
                        // URLSession says URLError.cancelled.
                        continuation.resume(throwing: CancellationError())
                    } else {
                        continuation.resume(throwing: error ?? URLError(.unknown))
                    }
                }
                task.delegate = transfer
                task.resume()
                transfer.started(task)
            }
        } onCancel: {
            transfer.cancel()
        }
    }

    private func started(_ task: URLSessionTask) {
        let isLate = lock.withLock {
            self.task = task
            return isCancelled
        }
        if isLate { task.cancel() }
    }

    private func cancel() {
        let task = lock.withLock {
            isCancelled = true
            return self.task
        }
        task?.cancel()
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask,
        willPerformHTTPRedirection response: HTTPURLResponse, newRequest request: URLRequest,
        completionHandler: @escaping @Sendable (URLRequest?) -> Void
    ) {
        completionHandler(nil)
    }
}
