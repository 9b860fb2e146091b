import ArgumentParser
import Dispatch
import Glibc
import HTTPTransport

/// The command `http-echo`.
@main
struct HTTPEcho: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "http-echo",
        abstract: "An example of HTTPTransport alone: GET / answers hello, POST /echo answers the content.",
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
    var drain = 10.0

    func run() throws {
        DescriptorLimit.raise()
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
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let started = HTTPDate(milliseconds: Int64(time.tv_sec) * 1000)
        let server = try HTTPServer(configuration: configuration) { EchoHandler(context: $0, started: started) }
        // Before anybody can be answered: a signal that comes while nobody listens for it would be lost.
        let sources = [SIGTERM, SIGINT].map { drainOnSignal($0, server) } + [reloadOnSignal(server)]
        server.start()
        let places = addresses.map { address in
            if case .tcp(let host, 0) = address { return SocketAddress.tcp(host: host, port: server.port) }
            return address
        }
        print(
            "http-echo listens on \(places.map(\.description).joined(separator: ", ")) with \(server.loopCount) loops")
        // Whoever reads the output through a pipe gets the line at once.
        fflush(nil)
        withExtendedLifetime(sources) { dispatchMain() }
    }

    private static let signals = DispatchQueue(label: "http-echo.signals")

    /// Returns when the source has begun to listen.
    private func listen(to source: any DispatchSourceSignal) {
        let listens = DispatchSemaphore(value: 0)
        source.setRegistrationHandler { listens.signal() }
        source.resume()
        listens.wait()
    }

    private func reloadOnSignal(_ server: HTTPServer<EchoHandler>) -> any DispatchSourceSignal {
        signal(SIGHUP, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: SIGHUP, queue: HTTPEcho.signals)
        source.setEventHandler {
            do {
                try server.reloadCertificates()
                print("http-echo has read the certificate again")
            } catch {
                print("http-echo goes on with the certificate it has: \(error)")
            }
            fflush(nil)
        }
        listen(to: source)
        return source
    }

    private func drainOnSignal(_ number: Int32, _ server: HTTPServer<EchoHandler>) -> any DispatchSourceSignal {
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: HTTPEcho.signals)
        let deadline = Duration.seconds(drain)
        source.setEventHandler {
            // A second signal does not wait.
            signal(number, SIG_DFL)
            server.drain(within: deadline) { Glibc.exit(0) }
        }
        listen(to: source)
        return source
    }
}
