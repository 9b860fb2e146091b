/// Addresses that share their first bits, such as `10.0.0.0/8`, `2001:db8::/32` or the single `::1`; or all peers of
/// Unix sockets.
package struct AddressRange: Sendable, Equatable {
    private let network: PeerAddress
    private let prefix: Int

    /// Reads an address with or without `/` and the number of bits that count, or the word `unix`; nil for anything
    /// else.
    package init?(_ text: String) {
        if text == "unix" {
            (network, prefix) = (.unix, 0)
            return
        }
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = PeerAddress(String(parts[0])) else { return nil }
        let width = address.family == .ipv4 ? 32 : 128
        guard parts.count == 2 else {
            (network, prefix) = (address, width)
            return
        }
        guard parts[1].utf8.allSatisfy(ByteClass.isDigit), let bits = Int(parts[1]), bits <= width else { return nil }
        (network, prefix) = (AddressRange.masked(address, bits), bits)
    }

    /// Whether `address` is one of these.
    package func contains(_ address: PeerAddress) -> Bool {
        address.family == network.family && AddressRange.masked(address, prefix) == network
    }

    private static func masked(_ address: PeerAddress, _ bits: Int) -> PeerAddress {
        switch address.family {
        case .unix: address
        case .ipv4:
            PeerAddress(high: 0, low: address.low & 0xFFFF_FFFF & (UInt64.max << UInt64(32 - bits)), family: .ipv4)
        case .ipv6:
            // A shift by 64 leaves nothing: Swift's smart shift.
            PeerAddress(
                high: address.high & (UInt64.max << (64 - min(bits, 64))),
                low: address.low & (UInt64.max << (128 - max(bits, 64))), family: .ipv6)
        }
    }
}
