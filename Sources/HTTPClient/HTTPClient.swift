import Dispatch
import Platform

/// Asks servers over HTTP/1.1 and HTTPS: a thin layer over libcurl, whose connections are kept for the next request.
///
/// Proxies are taken from `http_proxy`, `https_proxy` and `no_proxy` as libcurl reads them. Nothing is sent twice: to
/// try again is the caller's decision (`HTTPClientError.mayHaveArrived`).
package final class HTTPClient: Sendable {
    private let transfers: TransferQueue

    /// A client without connections. Loads libcurl if no client has before (5 ms, 4 MiB).
    ///
    /// - Throws: `library` when libcurl cannot be loaded.
    package init(_ settings: HTTPClientSettings) throws(HTTPClientError) {
        transfers = TransferQueue(settings, try CurlLibrary.shared.get())
    }

    deinit {
        transfers.close()
    }

    /// Sends a request.
    ///
    /// - Parameters:
    ///   - request: what to send.
    ///   - completion: called once, on the client's own queue: must not block, all other requests wait.
    package func send(
        _ request: HTTPClientRequest,
        completion: @escaping @Sendable (Result<HTTPClientResponse, HTTPClientError>) -> Void
    ) {
        transfers.submit(request, completion)
    }

    /// Sends a request and blocks until its response is there. Not for an event loop, nor for a completion.
    package func send(_ request: HTTPClientRequest) throws(HTTPClientError) -> HTTPClientResponse {
        let done = DispatchSemaphore(value: 0)
        let response = Locked<Result<HTTPClientResponse, HTTPClientError>?>(nil)
        send(request) { result in
            response.withLock { $0 = result }
            done.signal()
        }
        done.wait()
        guard let result = response.withLock({ $0 }) else {
            throw HTTPClientError(.closed, server: request.server, reason: "the client was closed")
        }
        return try result.get()
    }
}
