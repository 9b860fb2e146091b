import COpenSSL
import Dispatch
import Testing

@testable import HTTPTransport

@Suite("A server over TLS")
struct TLSServerTests {
    private static let request = Array("GET /loop HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)

    /// A secured connection over a socket.
    private final class SecuredClient {
        let raw: RawClient
        let session: TLSClient

        init(_ server: TestServer) throws {
            raw = try server.client()
            session = try TLSClient()
            while !session.isEstablished {
                session.goOn()
                raw.send(session.take())
                if !session.isEstablished { session.put(try raw.some()) }
            }
        }

        func send(_ bytes: [UInt8]) {
            #expect(session.write(bytes))
            raw.send(session.take())
        }

        /// Reads until `count` bytes in all were received.
        func receive(_ count: Int) throws {
            session.goOn()
            while session.received.count < count {
                session.put(try raw.some())
                session.goOn()
            }
        }
    }

    private func server(
        _ files: TestCertificate, _ adjust: (inout HTTPServerConfiguration) -> Void = { _ in }
    ) throws -> TestServer {
        try TestServer {
            $0.tls = files.configuration
            adjust(&$0)
        }
    }

    @Test("Connections on all loops are served while the certificate is exchanged again and again")
    func manyConnections() throws {
        let files = try TestCertificate("localhost")
        let server = try server(files)
        defer { server.stop() }
        let isDone = DispatchSemaphore(value: 0)
        DispatchQueue(label: "test.reload").async {
            for _ in 0..<20 { #expect(throws: Never.self) { try server.server.reloadCertificates() } }
            isDone.signal()
        }
        for _ in 0..<5 {
            let clients = try (0..<4).map { _ in try SecuredClient(server) }
            for client in clients { client.send(Self.request) }
            for client in clients {
                try client.receive(1)
                #expect(String(decoding: client.session.received, as: UTF8.self).hasPrefix("HTTP/1.1 200 OK"))
            }
        }
        isDone.wait()
    }

    @Test("A large answer to a slow reader arrives whole, and ends in good order")
    func largeResponse() throws {
        let server = try server(TestCertificate("localhost"))
        defer { server.stop() }
        let client = try SecuredClient(server)
        client.raw.shrinkReceiveBuffer()
        client.send(Array("GET /large?3000000 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".utf8))
        try client.receive(3_000_000)
        while !client.session.isEnded {
            client.session.put(try client.raw.some())
            client.session.goOn()
        }
        #expect(client.session.received.suffix(3_000_000).allSatisfy { $0 == 0x61 })
        #expect(client.raw.isClosed())
    }

    @Test("Who speaks no TLS, or leaves in the middle of a handshake, is closed and counted")
    func noHandshake() throws {
        let server = try server(TestCertificate("localhost"))
        defer { server.stop() }
        let stranger = try server.client()
        stranger.send(Self.request)
        _ = try? stranger.some()
        #expect(stranger.isClosed())
        try server.wait(for: 1) { $0.failedHandshakes }
        let leaving = try server.client()
        let session = try TLSClient()
        session.goOn()
        leaving.send(Array(session.take().dropLast()))
        leaving.end()
        #expect(leaving.isClosed())
        try server.waitForConnections(atMost: 0)
        #expect(server.total { $0.handshakes } == 0)
    }

    @Test("A server that drains ends an idle connection in good order")
    func drain() throws {
        let server = try server(TestCertificate("localhost"))
        let client = try SecuredClient(server)
        client.send(Self.request)
        try client.receive(1)
        server.stop()
        while !client.session.isEnded {
            client.session.put(try client.raw.some())
            client.session.goOn()
        }
        #expect(client.session.isEnded)
    }
}
