import Bytes
import HTTPTransport

/// Where the response of work on another queue goes. Answer once; from any thread.
package struct Reply: Sendable {
    private let send: @Sendable (Result<HTTPResponse, Problem>) -> Void

    /// A reply that hands the response to `send`.
    package init(_ send: @escaping @Sendable (Result<HTTPResponse, Problem>) -> Void) {
        self.send = send
    }

    /// Answers with a response or a problem.
    package func callAsFunction(_ result: Result<HTTPResponse, Problem>) {
        send(result)
    }

    /// Answers with a response.
    package func callAsFunction(_ response: HTTPResponse) {
        send(.success(response))
    }
}

extension HTTPResponse {
    /// A problem as a response to the request of a name.
    package init(_ problem: Problem, requestID: RequestID) {
        self.init(
            status: HTTPStatus(problem.code.status), fields: problem.headerFields,
            contentType: "application/problem+json", body: problem.body(requestID: requestID))
    }

    /// JSON as a response.
    package static func json(
        _ body: [UInt8], status: HTTPStatus = .ok, fields: [(name: String, value: String)] = []
    ) -> HTTPResponse {
        HTTPResponse(status: status, fields: fields, contentType: "application/json", body: body)
    }
}
