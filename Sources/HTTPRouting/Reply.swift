import Bytes
import HTTPTransport

/// Where the answer of work on another queue goes. Answer once; from any thread.
package struct Reply: Sendable {
    private let send: @Sendable (Result<HTTPResponse, Problem>) -> Void

    /// A reply that hands the answer to `send`.
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
    /// A problem as an answer to the request of a name.
    package init(_ problem: Problem, requestID: RequestID) {
        self.init(
            status: HTTPStatus(problem.code.status), fields: problem.headerFields,
            contentType: "application/problem+json", body: problem.body(requestID: requestID))
    }

    /// JSON as an answer.
    package static func json(
        _ body: [UInt8], status: HTTPStatus = .ok, fields: [(name: String, value: String)] = []
    ) -> HTTPResponse {
        HTTPResponse(status: status, fields: fields, contentType: "application/json", body: body)
    }
}
