import Access
import Bytes
import HTTPTransport

/// A request of somebody who was refused for lack of rights before its content was read.
package struct RouteRefusal: Sendable {
    /// Who sent it; nil for a stranger.
    package let caller: Caller?
    /// Its method and path.
    package let request: String
    /// Where it comes from.
    package let client: PeerAddress
    /// What names it.
    package let requestID: RequestID
    /// What the program calls itself that sent it; a bounded part.
    package let userAgent: String?

    init(
        _ request: borrowing HTTPRequest, of caller: Caller?, from client: PeerAddress, _ requestID: RequestID
    ) {
        self.caller = caller
        let path = request.path.prefix(AdministrationEvent.targetMaximum)
        let method = String(decoding: request.methodName, as: UTF8.self)
        self.request = "\(method) \(AdministrationEvent.target(String(decoding: path, as: UTF8.self)))"
        self.client = client
        self.requestID = requestID
        userAgent = AdministrationRequest.userAgent(of: request)
    }
}
