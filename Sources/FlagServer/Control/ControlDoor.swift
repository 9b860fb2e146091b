import Access
import Administration
import Glibc
import HTTPRouting
import HTTPTransport
import Logging
import Telemetry

/// The door of commands on this machine: `control.sock` in the data directory, which speaks HTTP like the other port
/// and has a loop of its own, so that it answers whatever that port is busy with.
struct ControlDoor {
    /// Bytes of a file that a command may send: a million overrides fit, and a runaway file does not take the server's
    /// memory.
    static let uploadBytes = 256 << 20
    /// Far more than anybody starts by hand.
    private static let connections = 64

    private let server: HTTPServer<Never>
    private let directory: String
    private let environment: [String: String]

    /// Starts to listen in a directory that this process owns.
    ///
    /// - Parameters:
    ///   - environment: the process's environment, which says where the socket is announced.
    ///   - routes: what can be asked for.
    ///   - administration: what they work with.
    ///   - nowhere: what is said to whoever asks for something else.
    ///   - counting: where requests are counted.
    init(
        in directory: String, environment: [String: String] = [:], _ routes: [AdministrationRoute],
        over administration: Administration, describedBy document: APIDocument, nowhere: Problem = .routeNotFound,
        counting: RequestCounting, logger: Logger
    ) throws {
        self.directory = directory
        self.environment = environment
        let listener = try ControlSocket.listen(in: directory)
        do throws(ControlSocketError) {
            try ControlSocket.announce(directory, in: environment)
        } catch {
            logger.warning(
                "commands have to be told the data directory: the server cannot be announced",
                metadata: ["reason": "\(error)"])
        }
        var http = HTTPServerConfiguration(addresses: [.inherited(descriptor: listener)], loops: 1)
        http.limits.connections = Self.connections
        http.errorBody = ServerComposition.protocolErrorBody
        let dependencies = ControlHandler.Dependencies(
            routes: routes,
            router: Router(routes.map(\.declaration), describedBy: document, labels: counting.labels),
            administration: administration,
            handover: RouteHandover(
                to: administration.workers, counting.metrics, counting.workers, contentBytes: http.limits.bodyBytes,
                uploadBytes: Self.uploadBytes, record: { administration.record($0, $1, then: $2) },
                report: { event, status in event.report(status, to: logger) }),
            callers: Self.callers(), nowhere: nowhere)
        server = try HTTPServer<Never>(configuration: http)
        let counter = RequestCounter(counting.metrics, in: counting.door)
        server.start { _ in ControlHandler(dependencies, counter: counter) }
    }

    /// Lets the commands under way finish, then listens no more and removes the socket.
    ///
    /// - Parameter completion: called once it is done.
    func drain(within duration: Duration, completion: @escaping @Sendable () -> Void) {
        server.drain(within: duration) { [directory, environment] in
            ControlSocket.withdraw(environment)
            ControlSocket.remove(in: directory)
            completion()
        }
    }

    /// Root and this process's own user, who may do everything, since the data directory is theirs.
    private static func callers() -> [UInt32: Caller] {
        var callers: [UInt32: Caller] = [:]
        for user in [0, geteuid()] { callers[user] = .local(user: name(of: user)) }
        return callers
    }

    /// A user's name; the number where there is none.
    private static func name(of user: UInt32) -> String {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var memory = [CChar](repeating: 0, count: 16_384)
        guard getpwuid_r(user, &entry, &memory, memory.count, &found) == 0, found != nil, let name = entry.pw_name
        else { return "\(user)" }
        return String(cString: name)
    }
}

/// Where the requests of a door are counted.
struct RequestCounting: Sendable {
    let metrics: RequestMetrics
    /// What they are counted under.
    let labels: [String]
    /// The counters of the door's loop.
    let door: CounterBlock
    /// Those that workers share.
    let workers: CounterBlock

    /// Beside the requests of a server's other port.
    init(_ server: ServerMetrics) {
        metrics = server.requests
        labels = ServedRoutes.labels
        door = server.door
        workers = server.workers
    }

    /// By themselves.
    init(_ routes: [AdministrationRoute]) {
        var layout = MetricLayout()
        labels = Router.labels(of: routes.map(\.declaration))
        metrics = RequestMetrics(labels: labels, in: &layout)
        door = CounterBlock(count: layout.count)
        workers = CounterBlock(count: layout.count)
    }
}
