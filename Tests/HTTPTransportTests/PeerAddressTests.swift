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
}
