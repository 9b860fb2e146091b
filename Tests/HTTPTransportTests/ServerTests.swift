import CLinux
import Glibc
import Platform
import Testing

@testable import HTTPTransport

@Suite("Server")
struct ServerTests {
    private let request = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"

    @Test("A port in use is a clear error, not a second listener")
    func portInUse() throws {
        let address = SocketAddress.tcp(host: "127.0.0.1", port: try TestServer.shared.get().port)
        #expect(throws: TransportError.addressInUse(address)) { try TestServer(addresses: [address]) }
    }

    @Test("An address of nobody, a name of nobody and a path without directory are clear errors")
    func unavailable() {
        let addresses: [SocketAddress] = [
            .tcp(host: "192.0.2.1", port: 0), .tcp(host: "no.such.host.invalid", port: 0),
            .unix(path: "/no/such/directory/socket"), .unix(path: String(repeating: "x", count: 200)),
        ]
        for address in addresses {
            let error = #expect(throws: TransportError.self) { try TestServer(addresses: [address]) }
            if case .addressNotAvailable(address, _)? = error { continue }
            Issue.record("\(String(describing: error)) for \(address)")
        }
    }

    @Test("Settings out of their bounds are named")
    func invalidConfiguration() {
        let error = #expect(throws: TransportError.self) { try TestServer { $0.limits.fieldCount = 0 } }
        #expect(error?.description == "fieldCount is 0; allowed are 1 to 1000")
        #expect(throws: TransportError.self) { try TestServer { $0.loops = 0 } }
        #expect(throws: TransportError.self) { try TestServer { $0.timeouts.idle = .zero } }
        #expect(throws: TransportError.self) { try TestServer(addresses: []) }
        #expect(throws: TransportError.self) { try TestServer(addresses: [.tcp(host: "127.0.0.1", port: 70_000)]) }
    }

    @Test("IPv6 and Unix sockets serve beside IPv4, and a socket file left over is replaced")
    func families() throws {
        let path = "/tmp/transport-test-\(getpid()).sock"
        for _ in 0..<2 {
            let server = try TestServer(
                addresses: [.tcp(host: "127.0.0.1", port: 0), .tcp(host: "::1", port: 0), .unix(path: path)])
            let unix = try RawClient(.unix(path: path))
            unix.send(request)
            #expect(try unix.answer().body == "GET /x|")
            let second = #expect(throws: TransportError.self) { try TestServer(addresses: [.unix(path: path)]) }
            #expect(second == .addressInUse(.unix(path: path)))
            server.stop()
            // As a killed process leaves it.
            close(try Listener(.unix(path: path)).descriptor)
        }
        unlink(path)
        let server = try TestServer(addresses: [.tcp(host: "::", port: 0)])
        for host in ["::1", "127.0.0.1"] {
            let client = try RawClient(.tcp(host: host, port: server.port))
            client.send(request)
            #expect(try client.answer().status == 200)
        }
        server.stop()
    }

    @Test("A socket that somebody else opened is served, and one that does not listen is refused")
    func inherited() throws {
        let opened = try Listener(.tcp(host: "127.0.0.1", port: 0))
        let server = try TestServer(addresses: [.inherited(descriptor: opened.descriptor)])
        #expect(server.port == opened.port)
        let client = try server.client()
        client.send(request)
        #expect(try client.answer().body == "GET /x|")
        server.stop()
        let pipe = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        #expect(throws: TransportError.self) { try TestServer(addresses: [.inherited(descriptor: pipe)]) }
        close(pipe)
    }

    @Test("Sockets are taken over from systemd when they are meant for this process (sd_listen_fds(3))")
    func activation() {
        func addresses(_ owner: String, _ count: String) -> [SocketAddress] {
            ActivatedSockets.addresses(process: 7) { ["LISTEN_PID": owner, "LISTEN_FDS": count][$0] }
        }
        #expect(addresses("7", "2") == [.inherited(descriptor: 3), .inherited(descriptor: 4)])
        #expect(addresses("8", "2").isEmpty && addresses("7", "0").isEmpty && addresses("7", "x").isEmpty)
        #expect(ActivatedSockets.addresses { _ in nil }.isEmpty)
    }

    @Test("A list of addresses is read")
    func addressList() {
        #expect(
            SocketAddress.list("127.0.0.1, [::1],::1, unix:/run/x.sock", port: 80) == [
                .tcp(host: "127.0.0.1", port: 80), .tcp(host: "::1", port: 80), .tcp(host: "::1", port: 80),
                .unix(path: "/run/x.sock"),
            ])
    }

    @Test("Connections are spread over the loops evenly")
    func spread() throws {
        let server = try TestServer(loops: 4)
        let clients = try (0..<40).map { _ in try server.client() }
        for client in clients {
            client.send(request)
            #expect(try client.answer().status == 200)
        }
        #expect(server.server.statistics().map(\.connectionsOpen) == [10, 10, 10, 10])
        server.stop()
    }

    @Test("A thousand idle connections disturb nobody")
    func idleConnections() throws {
        let server = try TestServer()
        let idle = try (0..<1000).map { _ in try server.client() }
        let client = try server.client()
        for _ in 0..<100 {
            client.send(request)
            #expect(try client.answer().body == "GET /x|")
        }
        for client in [idle[0], idle[500], idle[999]] {
            client.send(request)
            #expect(try client.answer().body == "GET /x|")
        }
        server.stop()
    }

    @Test("One connection too many is told 503")
    func tooManyConnections() throws {
        let server = try TestServer {
            $0.limits.connections = 3
            $0.limits.refusedConnections = 1
        }
        let clients = try (0..<3).map { _ in try server.client() }
        for client in clients {
            client.send(request)
            #expect(try client.answer().status == 200)
        }
        let refused = try server.client()
        let answer = try refused.answer()
        #expect(answer.status == 503 && answer.fields["connection"] == "close")
        #expect(try server.client().isClosed())
        refused.end()
        #expect(refused.isClosed())
        #expect(server.total(\.connectionsRefused) == 1)
        server.stop()
    }

    @Test("One connection too many of one address is told 503, and there is room again when one closes")
    func tooManyOfOneAddress() throws {
        let server = try TestServer { $0.limits.connectionsPerAddress = 2 }
        var clients = try (0..<2).map { _ in try server.client() }
        for client in clients {
            client.send(request)
            #expect(try client.answer().status == 200)
        }
        do {
            let refused = try server.client()
            let answer = try refused.answer()
            #expect(answer.status == 503 && answer.fields["retry-after"] == "1")
            #expect(server.total(\.connectionsRefusedByAddress) == 1)
        }
        clients.removeLast()
        try server.waitForConnections(atMost: 1)
        let next = try server.client()
        next.send(request)
        #expect(try next.answer().status == 200)
        server.stop()
    }

    @Test("A trusted proxy may have as many connections as it wants")
    func proxiesAreNotCounted() throws {
        let proxies = [try #require(AddressRange("127.0.0.0/8"))]
        let server = try TestServer {
            $0.limits.connectionsPerAddress = 2
            $0.trustedProxies = proxies
        }
        let clients = try (0..<5).map { _ in try server.client() }
        for client in clients {
            client.send(request)
            #expect(try client.answer().status == 200)
        }
        #expect(server.total(\.connectionsRefusedByAddress) == 0)
        server.stop()
    }

    @Test("Requests that waited too long for their loop are told 503, essential ones are answered")
    func shedding() throws {
        let server = try TestServer(loops: 1) { $0.timeouts.lag = .milliseconds(30) }
        let clients = try (0..<12).map { _ in try server.client() }
        for client in clients {
            client.send(request)
            #expect(try client.answer().status == 200)
        }
        // While the first keeps the loop busy the others pile up: they have waited when the next turn begins.
        clients[0].send("GET /stall HTTP/1.1\r\nHost: a\r\n\r\n")
        usleep(20_000)
        for client in clients[1..<11] { client.send(request) }
        clients[11].send("GET /essential HTTP/1.1\r\nHost: a\r\n\r\n")
        var statuses = try clients.map { try $0.answer().status }
        #expect(statuses.removeLast() == 200)
        #expect(statuses == [200] + Array(repeating: 503, count: 10))
        #expect(server.total(\.requestsShed) == 10)
        #expect(server.total(\.lagMaximumMicroseconds) > 30_000)
        clients[5].send(request)
        #expect(try clients[5].answer().status == 200)
        server.stop()
    }

    @Test("An answer that others have done is given between the requests of a turn, not behind all of them")
    func answersWithinTurn() throws {
        let server = try TestServer(loops: 1) { $0.timeouts.lag = .zero }
        let clients = try (0..<10).map { _ in try server.client() }
        for client in clients {
            client.send(request)
            #expect(try client.answer().status == 200)
        }
        let stall = "GET /stall HTTP/1.1\r\nHost: a\r\n\r\n"
        // While the first keeps the loop busy the others pile up: they are one turn, each with 150 ms.
        clients[0].send(stall)
        usleep(20_000)
        clients[1].send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n")
        for client in clients[2...] { client.send(stall) }
        #expect(try clients[1].answer().status == 200)
        let answered = SystemClock.monotonicMicroseconds
        for client in clients[2...] { #expect(try client.answer().status == 200) }
        #expect(SystemClock.monotonicMicroseconds - answered > 300_000)
        server.stop()
    }

    @Test("Readers that do not read cost no more memory than they may together, and nobody else an answer")
    func slowReaders() throws {
        let server = try TestServer(loops: 1) {
            $0.limits.keptOutputBytes = 20_000_000
            $0.timeouts.lag = .zero
        }
        let modest = try server.client()
        let clients = try (0..<20).map { _ in try server.client() }
        for client in [modest] + clients {
            client.shrinkReceiveBuffer()
            client.send("GET /large?\(client === modest ? 4_000_000 : 8_000_000) HTTP/1.1\r\nHost: a\r\n\r\n")
        }
        // Each keeps waiting what the buffers of its socket do not hold: of all but a few that is too much.
        try server.wait(for: 8) { $0.closedForOutput }
        let other = try server.client()
        other.send(request)
        #expect(try other.answer().status == 200)
        // What may stay is delivered whole to who reads it.
        let survivors = clients.filter { (try? $0.answer().body.utf8.count) == 8_000_000 }
        #expect(!survivors.isEmpty && survivors.count <= 12)
        // Nor is it taken from whoever has less.
        #expect(try modest.answer().body.utf8.count == 4_000_000)
        server.stop()
    }

    @Test("An answer that is larger than what may wait is given whole; only so many are under way at once")
    func largeResponses() throws {
        let server = try TestServer(loops: 1) {
            $0.limits.keptOutputBytes = 1_000_000
            $0.timeouts.lag = .zero
        }
        func ask() throws -> RawClient {
            let client = try server.client()
            client.shrinkReceiveBuffer()
            client.send("GET /file?8000000 HTTP/1.1\r\nHost: a\r\n\r\n")
            return client
        }
        let readers = [try ask(), try ask()]
        try server.wait(for: 2) { $0.requests }
        let refused = try ask().answer()
        #expect(refused.status == 503 && refused.fields["retry-after"] == "1")
        for reader in readers { #expect(try reader.answer().body.utf8.count == 8_000_000) }
        #expect(try ask().answer().body.utf8.count == 8_000_000)
        #expect(server.total(\.closedForOutput) == 0)
        server.stop()
    }

    @Test("Content of all requests together is bounded: the one with the most that still comes is told 503")
    func keptInput() throws {
        let server = try TestServer(loops: 1) {
            $0.limits.bodyBytes = 1_000_000
            $0.limits.keptInputBytes = 2_500_000
            $0.timeouts.lag = .zero
        }
        func post(_ path: String, _ count: Int) throws -> RawClient {
            let before = server.total(\.bytesRead)
            let client = try server.client()
            client.send("POST \(path) HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")
            client.send(String(repeating: "a", count: count))
            // No more is read of one that is refused.
            try waitUntil {
                server.total(\.bytesRead) >= before + UInt64(count) || server.total(\.refusedForInput) > refusals
            }
            refusals = server.total(\.refusedForInput)
            return client
        }
        var refusals: UInt64 = 0
        let counts = [700_000, 900_000, 800_000]
        let clients = try counts.map { try post("/empty", $0) }
        #expect(server.total(\.refusedForInput) == 0)
        let next = try post("/empty", 300_000)
        let refused = try clients[1].answer()
        #expect(refused.status == 503 && refused.fields["retry-after"] == "1")
        for (client, count) in [(clients[0], 700_000), (clients[2], 800_000), (next, 300_000)] {
            client.send(String(repeating: "a", count: 1_000_000 - count))
            #expect(try client.answer().status == 204)
        }
        #expect(server.total(\.refusedForInput) == 1)
        // What is worked on counts as well, and nobody is refused for a little.
        let waiting = [try post("/never", 1_000_000), try post("/never", 1_000_000)]
        #expect(try post("/empty", 600_000).answer().status == 503)
        let small = try server.client()
        small.send(request)
        #expect(try small.answer().status == 200)
        #expect(waiting.count == 2)
        server.stop(within: .milliseconds(100))
    }

    @Test("Peers that reset in the middle of a body leave nothing behind")
    func resetMidBody() throws {
        let server = try TestServer()
        for _ in 0..<100 {
            let client = try server.client()
            client.resetOnClose()
            client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nabc")
        }
        let client = try server.client()
        client.send(request)
        #expect(try client.answer().body == "GET /x|")
        try server.waitForConnections(atMost: 1)
        server.stop()
    }

    @Test("A head that does not come whole is answered 408; a silent connection is just closed")
    func timeouts() throws {
        let server = try TestServer {
            $0.timeouts.head = .milliseconds(40)
            $0.timeouts.body = .milliseconds(40)
            $0.timeouts.idle = .milliseconds(60)
        }
        let slow = try server.client()
        slow.send("GET / HT")
        let slowBody = try server.client()
        slowBody.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab")
        let silent = try server.client()
        for client in [slow, slowBody] {
            let answer = try client.answer()
            #expect(answer.status == 408 && answer.fields["connection"] == "close")
            #expect(client.isClosed())
        }
        #expect(silent.isClosed())
        #expect(server.total { $0.timeouts[.head] ?? 0 } == 1)
        #expect(server.total { $0.timeouts[.body] ?? 0 } == 1)
        #expect(server.total { $0.timeouts[.idle] ?? 0 } == 1)
        server.stop()
    }

    @Test("Answers tell how long their connection is kept, unless they close it")
    func keepAlive() throws {
        let server = try TestServer { $0.tellsIdleTimeout = true }
        let client = try server.client()
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try client.answer().fields["keep-alive"] == "timeout=75")
        client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        let last = try client.answer()
        #expect(last.fields["keep-alive"] == nil && last.fields["connection"] == "close")
        let old = try server.client()
        old.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        let answer = try old.answer()
        #expect(answer.fields["connection"] == "keep-alive" && answer.fields["keep-alive"] == "timeout=75")
        server.stop()
    }

    @Test("A request that arrives while its connection's idle time ends is answered")
    func lastLook() throws {
        let server = try TestServer(loops: 1) {
            $0.timeouts.idle = .milliseconds(60)
            $0.timeouts.lag = .zero
        }
        let pooled = try server.client()
        pooled.send(request)
        #expect(try pooled.answer().status == 200)
        // The loop is busy beyond the idle time of the other connection, whose request comes in time.
        let holding = try server.client()
        holding.send("GET /stall HTTP/1.1\r\nHost: a\r\n\r\n")
        usleep(20_000)
        pooled.send(request)
        #expect(try pooled.answer().status == 200)
        server.stop()
    }

    @Test("A peer that never takes its answers is closed after the write time-out")
    func writeTimeout() throws {
        let server = try TestServer { $0.timeouts.write = .milliseconds(50) }
        let client = try server.client()
        client.shrinkReceiveBuffer()
        client.send(String(repeating: "GET /large?8000000 HTTP/1.1\r\nHost: a\r\n\r\n", count: 20))
        try server.wait(for: 1) { $0.timeouts[.write] ?? 0 }
        server.stop()
    }

    @Test("A peer that takes too little of an answer is closed, however much the kernel has taken for it")
    func outputRate() throws {
        let server = try TestServer {
            $0.limits.outputRate = 100_000
            $0.timeouts.rateGrace = .milliseconds(100)
        }
        let client = try server.client()
        client.shrinkReceiveBuffer()
        client.send("GET /large?8000000 HTTP/1.1\r\nHost: a\r\n\r\n")
        try server.wait(for: 1) { $0.timeouts[.taking] ?? 0 }
        server.stop()
    }

    @Test("Statistics count what happened")
    func statistics() throws {
        let server = try TestServer(loops: 1)
        let client = try server.client()
        let empty = "GET /empty HTTP/1.1\r\nHost: a\r\n\r\n"
        client.send(request + empty)
        _ = try client.answer()
        _ = try client.answer()
        client.send("BAD\r\n")
        _ = try client.answer()
        #expect(client.isClosed())
        let statistics = server.server.statistics()[0]
        #expect(statistics.connectionsAccepted == 1)
        #expect(statistics.requests == 2)
        #expect(statistics.answers == [.ok: 1, .noContent: 1, .badRequest: 1])
        #expect(statistics.faults[.malformedRequestLine] == 1)
        #expect(statistics.bytesRead == UInt64((request + empty + "BAD\r\n").utf8.count))
        #expect(statistics.bytesWritten > 300)
        server.stop()
    }
}
