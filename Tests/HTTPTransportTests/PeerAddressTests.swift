import CLinux
import Testing

@testable import HTTPTransport

@Suite("Peer address")
struct PeerAddressTests {
    @Test(
        "An address is written as it is read",
        arguments: ["192.0.2.1", "255.255.255.255", "2001:db8::1", "::1", "fe80::1234:0:0:1"])
    func text(address: String) {
        #expect(PeerAddress(address)?.description == address)
    }

    @Test("What is no address is none", arguments: ["", "a", "192.0.2", "192.0.2.256", "1:2", "[::1]", "192.0.2.1:80"])
    func none(text: String) {
        #expect(PeerAddress(text) == nil)
    }

    @Test("IPv4 in the clothes of IPv6 is IPv4 (RFC 4291 section 2.5.5.2)")
    func mapped() {
        #expect(PeerAddress("::ffff:192.0.2.1") == PeerAddress("192.0.2.1"))
    }

    @Test("Connections are counted by IPv4 address, and by network of IPv6")
    func counting() throws {
        let counts = AddressCounts(limit: 2)
        let first = try #require(PeerAddress("2001:db8:0:1::1"))
        let second = try #require(PeerAddress("2001:db8:0:1:ffff::2"))
        let other = try #require(PeerAddress("2001:db8:0:2::1"))
        #expect(counts.enter(first) && counts.enter(second) && !counts.enter(first) && counts.enter(other))
        counts.leave(first)
        counts.leave(first)
        #expect(counts.enter(second))
        #expect((0..<9).allSatisfy { _ in counts.enter(.unix) })
    }

    @Test(
        "A range has the addresses that begin with its bits",
        arguments: [
            ("10.0.0.0/8", "10.1.2.3", true), ("10.0.0.0/8", "11.1.2.3", false), ("10.9.9.9/8", "10.1.2.3", true),
            ("0.0.0.0/0", "192.0.2.1", true), ("0.0.0.0/0", "::1", false), ("::1", "::1", true), ("::1", "::2", false),
            ("2001:db8::/32", "2001:db8:1::1", true), ("2001:db8::/32", "2001:db9::1", false), ("::/0", "::1", true),
            ("2001:db8::/96", "2001:db8::1:1", true), ("2001:db8::/96", "2001:db8::1:0:1", false),
            ("192.0.2.1", "::ffff:192.0.2.1", true),
        ])
    func ranges(range: String, address: String, isIn: Bool) throws {
        #expect(try #require(AddressRange(range)).contains(try #require(PeerAddress(address))) == isIn)
    }

    @Test(
        "What is no range is none", arguments: ["", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "a/8", "::/129", "/8"])
    func noRange(text: String) {
        #expect(AddressRange(text) == nil)
    }

    @Test(
        "What trusted proxies say of who asks counts, as far as the chain of them reaches (RFC 7239)",
        arguments: [
            ("", "127.0.0.1"), ("X-Forwarded-For: 192.0.2.9\r\n", "192.0.2.9"),
            ("X-Forwarded-For: 198.51.100.1, 192.0.2.9\r\n", "192.0.2.9"),
            ("X-Forwarded-For: 198.51.100.1\r\nX-Forwarded-For: 10.0.0.7\r\n", "198.51.100.1"),
            ("X-Forwarded-For: 198.51.100.1, unknown\r\n", "127.0.0.1"),
            ("X-Forwarded-For: 198.51.100.1:4711\r\n", "198.51.100.1"),
            ("X-Forwarded-For: \", 192.0.2.9\r\n", "192.0.2.9"),
            ("Forwarded: for=192.0.2.60;proto=http;by=203.0.113.43\r\n", "192.0.2.60"),
            ("Forwarded: proto=https; FOR=\"[2001:db8:cafe::17]:4711\"\r\n", "2001:db8:cafe::17"),
            ("Forwarded: for=\"a,b\", for=192.0.2.43, for=10.1.1.1\r\n", "192.0.2.43"),
            ("Forwarded: for=_hidden\r\n", "127.0.0.1"), ("Forwarded: by=192.0.2.1\r\n", "127.0.0.1"),
            ("Forwarded: for=192.0.2.1\r\nX-Forwarded-For: 192.0.2.1\r\n", "192.0.2.1"),
            ("Forwarded: for=192.0.2.1\r\nX-Forwarded-For: 192.0.2.2\r\n", "127.0.0.1"),
        ])
    func forwarded(fields: String, client: String) throws {
        let ranges = ["127.0.0.1", "10.0.0.0/8"].compactMap { AddressRange($0) }
        let server = try TestServer(loops: 1) { $0.trustedProxies = ranges }
        let connection = try server.client()
        connection.send("GET /client HTTP/1.1\r\nHost: a\r\n\(fields)\r\n")
        #expect(try connection.answer().body == client)
        // Behind a trusted proxy, TLS may have ended there (RFC 9110 section 7.4).
        connection.send("GET https://a/x HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try connection.answer().status == 200)
        server.stop()
    }

    @Test("What others say does not count")
    func untrusted() throws {
        let connection = try TestServer.shared.get().client()
        connection.send("GET /client HTTP/1.1\r\nHost: a\r\nForwarded: for=192.0.2.1\r\n\r\n")
        #expect(try connection.answer().body == "127.0.0.1")
    }
}
