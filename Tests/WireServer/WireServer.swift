import ArgumentParser
import Glibc
import HTTPTransport
import Platform

/// The command `wire-server`: HTTPTransport with everything it has as an option, for tests from outside, drills and
/// measurements.
@main
struct WireServer: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wire-server",
        abstract: "HTTPTransport alone, with all its settings: GET / answers hello, POST /echo the content.",
        discussion: "SIGTERM and SIGINT finish the requests in flight and exit with status 0.")

    @Option(
        help: """
            The addresses to listen on: a list of addresses, names, and paths behind unix:. Sockets that systemd hands \
            over (LISTEN_FDS) take their place.
            """)
    var host = "127.0.0.1"

    @Option(help: "The port; 0 lets the system choose.")
    var port = 8080

    @Option(help: "The event loops; one for each core unless given.")
    var loops: Int?

    @Option(
        help: ArgumentHelp(
            "Proxies whose Forwarded and X-Forwarded-For count: addresses, networks such as 10.0.0.0/8, or unix.",
            valueName: "list"))
    var trustedProxies = ""

    @OptionGroup(title: "Limits")
    var limits: LimitOptions

    @OptionGroup(title: "Time-outs, in seconds")
    var timeouts: TimeoutOptions

    @OptionGroup(title: "TLS; SIGHUP reads the files again")
    var tls: TLSOptions

    @OptionGroup(title: "Compression with gzip")
    var compression: CompressionOptions

    @Option(help: "How many seconds requests in flight may take after SIGTERM.")
    var drain = Seconds(.seconds(10))

    static func main() { main(ProcessArguments.required(by: "wire-server")) }

    func run() throws {
        let signals = ProcessSignals()
        DescriptorLimit.raise(for: limits.limits.connections)
        let cores = sysconf(Int32(_SC_NPROCESSORS_ONLN))
        let activated = ActivatedSockets.addresses()
        let addresses = activated.isEmpty ? SocketAddress.list(host, port: port) : activated
        var configuration = HTTPServerConfiguration(addresses: addresses, loops: loops ?? max(1, cores))
        configuration.trustedProxies = try trustedProxies.split(separator: ",").map { part in
            guard let range = AddressRange(part.filter { $0 != " " }) else {
                throw ValidationError("--trusted-proxies: \(part) is no address, no network and not unix.")
            }
            return range
        }
        configuration.limits = limits.limits
        configuration.timeouts = timeouts.timeouts
        configuration.tls = tls.configuration
        configuration.compression = compression.compression
        let started = HTTPDate(milliseconds: SystemClock.wallMilliseconds)
        let server = try HTTPServer<Never>(configuration: configuration)
        server.start { EchoHandler(context: $0, started: started) }
        let places = addresses.map { address in
            if case .tcp(let host, 0) = address { return SocketAddress.tcp(host: host, port: server.port) }
            return address
        }
        let list = places.map(\.description).joined(separator: ", ")
        print("wire-server listens on \(list) with \(server.loopCount) loops")
        // Whoever reads the output through a pipe gets the line at once.
        fflush(nil)
        steer(server, by: signals)
    }

    /// SIGHUP has the certificate read again, SIGTERM and SIGINT drain and end the process; a second one does not wait.
    private func steer(_ server: HTTPServer<Never>, by signals: ProcessSignals) -> Never {
        var isDraining = false
        while true {
            switch signals.next() {
            case .reload: reload(server)
            case .tellMore: break
            case .stop where isDraining: Glibc.exit(1)
            case .stop:
                isDraining = true
                server.drain(within: drain.duration) { Glibc.exit(0) }
            }
        }
    }

    private func reload(_ server: HTTPServer<Never>) {
        do {
            try server.reloadCertificates()
            print("wire-server has read the certificate again")
        } catch {
            print("wire-server goes on with the certificate it has: \(error)")
        }
        fflush(nil)
    }
}
