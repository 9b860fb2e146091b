import Dispatch
import HTTPTransport
import Logging
import Platform

/// The port for DynamoDB's protocol, which may open later than the server starts.
final class DynamoPort: Sendable {
    private enum State {
        case closed
        case open(HTTPServer<Never>)
        /// It is not to be opened any more.
        case ended
    }

    private let makeServer: @Sendable () throws(TransportError) -> HTTPServer<Never>
    private let state = Locked(State.closed)
    /// Where it is opened and closed, one after the other.
    private let queue = DispatchQueue(label: "flag-server.dynamodb-port")

    /// A port that is closed.
    ///
    /// - Parameter makeServer: binds it and begins to answer.
    init(makeServer: @escaping @Sendable () throws(TransportError) -> HTTPServer<Never>) {
        self.makeServer = makeServer
    }

    /// Opens the port, unless it is open.
    func open() throws(TransportError) {
        let failure = queue.sync { () -> TransportError? in
            do throws(TransportError) {
                try openOnQueue()
                return nil
            } catch { return error }
        }
        if let failure { throw failure }
    }

    /// Opens the port behind this call, unless it is open. Does not wait.
    func openSoon(_ logger: Logger) {
        queue.async { [self] in
            do throws(TransportError) { try openOnQueue() } catch {
                logger.error("the DynamoDB port cannot be opened", metadata: ["error": "\(error)"])
            }
        }
    }

    private func openOnQueue() throws(TransportError) {
        guard case .closed = state.withLock({ $0 }) else { return }
        let server = try makeServer()
        state.withLock { $0 = .open(server) }
    }

    /// Reads the certificate and its key again, if it is open.
    func reloadCertificates() throws(TransportError) {
        if case .open(let server) = state.withLock({ $0 }) { try server.reloadCertificates() }
    }

    /// Stops listening and finishes what is in flight.
    ///
    /// - Parameter completion: called once, when no connection is left.
    func drain(within duration: Duration, completion: @escaping @Sendable () -> Void) {
        queue.async { [self] in
            let last = state.withLock { state in
                defer { state = .ended }
                return state
            }
            guard case .open(let server) = last else { return completion() }
            server.drain(within: duration, completion: completion)
        }
    }
}
