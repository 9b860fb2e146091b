import CLinux
import Glibc
import Platform

/// Who is at the other end of a connection, as far as the network tells.
package struct PeerAddress: Sendable, Hashable, CustomStringConvertible {
    /// The address's bytes in network order: 4 of IPv4, 16 of IPv6. Of a Unix socket the process, and one more than the
    /// user; zero where the kernel does not tell.
    let high: UInt64
    let low: UInt64
    let family: Family

    /// What kind of address it is.
    enum Family: UInt8, Sendable {
        case unix, ipv4, ipv6
    }

    /// The peer of a Unix socket of whom nothing is known.
    package static let unix = PeerAddress(high: 0, low: 0, family: .unix)

    init(high: UInt64, low: UInt64, family: Family) {
        self.high = high
        self.low = low
        self.family = family
    }

    /// Who is at the other end of a connection, by what `accept` tells; of a Unix socket, by what the kernel vouches
    /// for.
    init(_ storage: sockaddr_storage, of socket: Int32) {
        let address = PeerAddress(storage)
        if address.isUnix, let peer = UnixConnection.peer(socket) {
            self.init(
                high: UInt64(UInt32(bitPattern: peer.process)), low: UInt64(peer.user) + 1, family: .unix)
        } else {
            self = address
        }
    }

    /// What `accept` tells. IPv4 in the clothes of IPv6 (RFC 4291 §2.5.5.2) is IPv4.
    init(_ storage: sockaddr_storage) {
        let family = Int32(storage.ss_family)
        self = withUnsafeBytes(of: storage) { bytes in
            switch family {
            case AF_INET:
                return PeerAddress(
                    high: 0, low: UInt64(UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))),
                    family: .ipv4)
            case AF_INET6: return PeerAddress(ipv6: UnsafeRawBufferPointer(rebasing: bytes[8..<24]))
            default: return .unix
            }
        }
    }

    private init(ipv6 bytes: UnsafeRawBufferPointer) {
        let high = UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self))
        let low = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        if high == 0, low >> 32 == 0xFFFF {
            self.init(high: 0, low: low & 0xFFFF_FFFF, family: .ipv4)
        } else {
            self.init(high: high, low: low, family: .ipv6)
        }
    }

    /// Reads `192.0.2.1` or `2001:db8::1`; nil for anything else.
    package init?(_ text: String) {
        var narrow = in_addr()
        var wide = in6_addr()
        if inet_pton(AF_INET, text, &narrow) == 1 {
            self.init(high: 0, low: UInt64(UInt32(bigEndian: narrow.s_addr)), family: .ipv4)
        } else if inet_pton(AF_INET6, text, &wide) == 1 {
            self = withUnsafeBytes(of: &wide) { PeerAddress(ipv6: $0) }
        } else {
            return nil
        }
    }

    /// Whether it is the peer of a Unix socket.
    package var isUnix: Bool { family == .unix }

    /// The user who is at the other end of a Unix socket, as the kernel vouches for it; nil for all others.
    package var user: UInt32? { family == .unix && low > 0 ? UInt32(low - 1) : nil }

    /// Whether only this machine can have it: 127.0.0.0/8 (RFC 1122 §3.2.1.3), `::1` (RFC 4291 §2.5.3), a Unix socket.
    package var isLoopback: Bool {
        switch family {
        case .unix: true
        case .ipv4: low >> 24 == 127
        case .ipv6: high == 0 && low == 1
        }
    }

    /// What connections are counted by: the address, of IPv6 the network of 64 bits that one subscriber has
    /// (RFC 6177 §2); nil for Unix sockets, behind which everybody looks the same.
    package var countedBy: PeerAddress? {
        switch family {
        case .unix: nil
        case .ipv4: self
        case .ipv6: PeerAddress(high: high, low: 0, family: .ipv6)
        }
    }

    /// As people write it; of a Unix socket the process, as in `process 4711`, or `unix` where it is not known.
    package var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        switch family {
        case .unix: return high > 0 ? "process \(high)" : "unix"
        case .ipv4:
            var address = UInt32(truncatingIfNeeded: low).bigEndian
            inet_ntop(AF_INET, &address, &text, socklen_t(text.count))
        case .ipv6:
            var address = (high.bigEndian, low.bigEndian)
            inet_ntop(AF_INET6, &address, &text, socklen_t(text.count))
        }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
