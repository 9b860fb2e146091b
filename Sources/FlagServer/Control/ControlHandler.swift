import Access
import Administration
import Glibc
import HTTPRouting
import HTTPTransport

/// Answers commands on the control socket: the routes of administration, for root and the server's own user.
final class ControlHandler: HTTPHandler {
    /// What the door is made of.
    struct Dependencies: Sendable {
        /// The routes, by their numbers in the router.
        let routes: [AdministrationRoute]
        /// The same for requests.
        let router: Router
        /// What they work with.
        let administration: Administration
        /// Where work may block.
        let handover: RouteHandover
        /// Whom the kernel may vouch for, by their numbers.
        let callers: [UInt32: Caller]
        /// What is said where no route is.
        let nowhere: Problem
    }

    private let dependencies: Dependencies
    private let counter: RequestCounter
    private var gate: RouteGate

    init(_ dependencies: Dependencies, counter: RequestCounter) {
        self.dependencies = dependencies
        self.counter = counter
        gate = RouteGate(
            dependencies.router, counter, hosts: .any, nowhere: dependencies.nowhere,
            uploadBytes: ControlDoor.uploadBytes, noteRefusal: dependencies.administration.noteRefusal)
    }

    func receive(_ message: Never) {}

    /// Decides on a request before its content is read.
    func admit(_ request: borrowing HTTPRequest, _ exchange: inout Exchange) -> Admission {
        gate.admit(request, of: caller(exchange.peer), &exchange, stranger: .otherUser)
    }

    /// Has a request done that was admitted.
    func handle(_ request: borrowing HTTPRequest, _ token: UInt64, _ exchange: inout Exchange) {
        let route = dependencies.router.routes[Int(truncatingIfNeeded: token)]
        guard let parameters = route.pattern.match(request.path), let caller = caller(exchange.peer) else {
            return counter.refuse(&exchange, route.label, .routeNotFound)
        }
        do throws(Problem) {
            try dependencies.handover(
                request, parameters, route, of: caller,
                { [dependencies] request, reply throws(Problem) in
                    try dependencies.routes[route.number].run(request, dependencies.administration, reply)
                }, &exchange)
        } catch {
            counter.refuse(&exchange, route.label, error)
        }
    }

    private func caller(_ peer: PeerAddress) -> Caller? { peer.user.flatMap { dependencies.callers[$0] } }
}

extension Problem {
    /// A user of this machine who may not administer the server.
    fileprivate static let otherUser = Problem(
        .forbidden, "only root and the user that the server runs as may use the control socket")
}
