import Bytes
import COpenSSL
import Glibc
import Testing

@testable import HTTPTransport

@Suite("The secured side of a connection")
struct TLSSessionTests {
    private static let certificate = Result { try TestCertificate("first") }
    private static let request = Array("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)
    private static let answer = Array("HTTP/1.1 204 No Content\r\n\r\n".utf8)

    /// A client and a server's session, and the bytes that go between them.
    private final class Pair {
        let client: TLSClient
        let server: TLSSession
        /// What the client said.
        var input = ByteBuffer()
        var outcomes: [TLSSession.Outcome] = []
        private let piece: Int

        /// - Parameter piece: how many bytes arrive at a time, in both directions.
        init(_ context: TLSContext, _ hello: TLSClient.Hello = TLSClient.Hello(), piece: Int = .max) throws {
            client = try TLSClient(hello)
            server = try #require(TLSSession(context))
            self.piece = piece
            exchange()
        }

        /// Carries bytes until neither side has any more to say.
        func exchange() {
            while true {
                client.goOn()
                let toServer = client.take()
                deliver(toServer)
                let toClient = takeOutput()
                for begin in stride(from: 0, to: toClient.count, by: min(piece, max(1, toClient.count))) {
                    client.put(toClient[begin..<min(toClient.count, begin + min(piece, toClient.count))])
                    client.goOn()
                }
                if toServer.isEmpty, toClient.isEmpty { return }
            }
        }

        /// Has the server receive bytes, in pieces.
        func deliver(_ bytes: [UInt8]) {
            for begin in stride(from: 0, to: bytes.count, by: min(piece, max(1, bytes.count))) {
                let part = bytes[begin..<min(bytes.count, begin + min(piece, bytes.count))]
                outcomes.append(part.withUnsafeBytes { server.receive($0, into: &input) })
            }
        }

        func takeOutput() -> [UInt8] {
            defer { server.output.consume(server.output.count) }
            return Array(server.output.readable)
        }

        /// What the client said, as far as it has come.
        func takeInput() -> [UInt8] {
            defer { input.consume(input.count) }
            return Array(input.readable)
        }

        func send(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBytes { server.send($0) } }
    }

    private func context(_ change: (inout TLSConfiguration) -> Void = { _ in }) throws -> TLSContext {
        var configuration = try Self.certificate.get().configuration
        change(&configuration)
        return try TLSContext(configuration)
    }

    @Test("A handshake and what is said after it may come in any pieces", arguments: [1, 2, 5, 100, 16_384, .max])
    func pieces(piece: Int) throws {
        let pair = try Pair(context(), piece: piece)
        #expect(pair.server.isEstablished && pair.client.isEstablished)
        #expect(!pair.server.isResumed && pair.client.version == TLS1_3_VERSION)
        #expect(pair.client.write(Self.request))
        pair.exchange()
        #expect(pair.takeInput() == Self.request)
        #expect(pair.send(Self.answer))
        pair.exchange()
        #expect(pair.client.received == Self.answer)
        #expect(pair.outcomes.allSatisfy { $0 == .taken })
    }

    @Test("Content of many records arrives whole, both ways", arguments: [61, .max])
    func manyRecords(piece: Int) throws {
        let content = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        let pair = try Pair(context(), piece: piece)
        #expect(pair.client.write(content))
        pair.exchange()
        #expect(pair.takeInput() == content)
        #expect(pair.send(content))
        pair.exchange()
        #expect(pair.client.received == content)
    }

    @Test("The beginning of a hello is waited for, without a word, wherever it ends")
    func everyPrefix() throws {
        let context = try context()
        let hello = try hello()
        for length in 1..<hello.count {
            let server = try #require(TLSSession(context))
            var input = ByteBuffer()
            #expect(hello[..<length].withUnsafeBytes { server.receive($0, into: &input) } == .taken)
            #expect(server.output.count == 0 && !server.isEstablished)
            // Nothing can be said before the handshake, nor can it be ended in good order.
            #expect(!Self.answer.withUnsafeBytes { server.send($0) })
            server.end()
            #expect(server.output.count == 0)
        }
    }

    private func hello(_ hello: TLSClient.Hello = TLSClient.Hello()) throws -> [UInt8] {
        let client = try TLSClient(hello)
        client.goOn()
        return client.take()
    }

    @Test("What is no hello breaks the session for good, and nothing of it reaches HTTP")
    func noHello() throws {
        let context = try context()
        var tooLong = try hello()
        (tooLong[3], tooLong[4]) = (0x7F, 0xFF)
        var another = try hello()
        another[0] = 0x17
        var broken = try hello()
        // The length of the session's identifier, behind 9 bytes of headers, 2 of a version and 32 of a random number.
        broken[43] = 0xFF
        let cases = [Self.request, [UInt8](repeating: 0, count: 600), tooLong, another, broken]
        for bytes in cases {
            let server = try #require(TLSSession(context))
            var input = ByteBuffer()
            #expect(bytes.withUnsafeBytes { server.receive($0, into: &input) } == .failed)
            #expect(input.count == 0 && !server.isEstablished)
            let hello = try hello()
            #expect(hello.withUnsafeBytes { server.receive($0, into: &input) } == .failed)
            #expect(!Self.answer.withUnsafeBytes { server.send($0) })
        }
    }

    @Test("A client without a version or a protocol in common is told so (RFC 8446 §6.2)")
    func nothingInCommon() throws {
        let cases: [(hello: TLSClient.Hello, alert: UInt8)] = [
            (TLSClient.Hello(maximumVersion: TLS1_2_VERSION), 70),
            (TLSClient.Hello(protocols: [2] + Array("h2".utf8)), 120),
        ]
        for (hello, alert) in cases {
            let server = try #require(TLSSession(context()))
            var input = ByteBuffer()
            let bytes = try self.hello(hello)
            #expect(bytes.withUnsafeBytes { server.receive($0, into: &input) } == .failed)
            // A record of type alert; its second byte of content is what is wrong.
            #expect(Array(server.output.readable.prefix(1)) == [21])
            #expect(server.output.readable.last == alert)
        }
    }

    @Test("HTTP/1.1 is chosen among the protocols that a client offers; one that offers none is served")
    func protocols() throws {
        let hello = TLSClient.Hello(protocols: [2] + Array("h2".utf8) + [8] + Array("http/1.1".utf8))
        #expect(try Pair(context(), hello).client.chosenProtocol == "http/1.1")
        let silent = try Pair(context())
        #expect(silent.server.isEstablished && silent.client.chosenProtocol == "")
    }

    @Test("TLS 1.2 is spoken where it is configured, and is not begun anew within a connection")
    func olderVersion() throws {
        let hello = TLSClient.Hello(maximumVersion: TLS1_2_VERSION)
        let pair = try Pair(context { $0.minimumVersion = .tls12 }, hello, piece: 7)
        #expect(pair.server.isEstablished && pair.client.version == TLS1_2_VERSION)
        #expect(pair.client.write(Self.request))
        pair.exchange()
        #expect(pair.takeInput() == Self.request)
    }

    @Test("A client that ends its side in good order is told apart from one that breaks off; what it said counts")
    func clientEnds() throws {
        let pair = try Pair(context())
        #expect(pair.client.write(Self.request))
        pair.client.end()
        pair.deliver(pair.client.take())
        #expect(pair.outcomes.last == .ended)
        #expect(pair.takeInput() == Self.request)
        // Its own side is still open.
        #expect(pair.send(Self.answer))
        pair.server.end()
        pair.client.put(pair.takeOutput())
        pair.client.goOn()
        #expect(pair.client.received == Self.answer)
        #expect(pair.client.isEnded)
    }

    @Test("After its end the server says nothing more")
    func serverEnds() throws {
        let pair = try Pair(context(), piece: 1)
        pair.server.end()
        pair.exchange()
        #expect(pair.client.isEnded)
        #expect(!pair.send(Self.answer))
        #expect(pair.takeOutput() == [])
    }

    @Test("A record that was changed on its way breaks the session")
    func changedRecord() throws {
        let pair = try Pair(context())
        #expect(pair.client.write(Self.request))
        var record = pair.client.take()
        record[record.count - 1] ^= 1
        pair.deliver(record)
        #expect(pair.outcomes.last == .failed)
        #expect(pair.takeInput() == [])
        #expect(!pair.takeOutput().isEmpty)
        #expect(!pair.send(Self.answer))
    }

    @Test("Keys may be renewed in the middle (RFC 8446 §4.6.3)", arguments: [1, .max])
    func renewedKeys(piece: Int) throws {
        let pair = try Pair(context(), piece: piece)
        for _ in 0..<3 {
            pair.client.renewKeys()
            #expect(pair.client.write(Self.request))
            pair.exchange()
            #expect(pair.takeInput() == Self.request)
            #expect(pair.send(Self.answer))
            pair.exchange()
        }
        #expect(pair.client.received == Self.answer + Self.answer + Self.answer)
    }
}

// MARK: - Resumption and renewal

extension TLSSessionTests {
    @Test("A session is resumed with the ticket it was given, also under the next certificate; a strange ticket is not")
    func resumption() throws {
        let files = try TestCertificate("old")
        let certificates = try TLSCertificates(files.configuration)
        let first = try Pair(certificates.current)
        let second = try Pair(certificates.current, TLSClient.Hello(earlier: first.client.ticket), piece: 1)
        #expect(second.server.isResumed && second.client.isResumed)
        try files.renew("new")
        try certificates.reload()
        let third = try Pair(certificates.current, TLSClient.Hello(earlier: second.client.ticket))
        #expect(third.server.isResumed)
        let strange = try Pair(context(), TLSClient.Hello(earlier: third.client.ticket))
        #expect(strange.server.isEstablished && !strange.server.isResumed)
    }

    @Test("A certificate that was renewed is what new connections get; those that are open go on with theirs")
    func renewal() throws {
        let files = try TestCertificate("old")
        let certificates = try TLSCertificates(files.configuration)
        let open = try Pair(certificates.current)
        let waiting = certificates.current
        try files.renew("new")
        try certificates.reload()
        #expect(try Pair(certificates.current).client.serverName == "new")
        // Taken before, used after.
        #expect(try Pair(waiting).client.serverName == "old")
        #expect(open.client.serverName == "old" && open.client.write(Self.request))
        open.exchange()
        #expect(open.takeInput() == Self.request)
    }

    @Test("Files that make no certificate are refused by their names, and do not come into force")
    func badFiles() throws {
        let files = try TestCertificate("good")
        let other = try TestCertificate("other")
        var configuration = files.configuration
        configuration.keyFile = other.keyFile
        #expect(throws: TransportError.self) { try TLSContext(configuration) }
        configuration.keyFile = files.keyFile + ".missing"
        #expect(throws: TransportError.self) { try TLSContext(configuration) }
        configuration.certificateFile = "/dev/null"
        #expect(throws: TransportError.self) { try TLSContext(configuration) }
        let configured = try TLSCertificates(other.configuration)
        unlink(other.keyFile)
        #expect(throws: TransportError.self) { try configured.reload() }
        #expect(try Pair(configured.current).client.serverName == "other")
    }
}
