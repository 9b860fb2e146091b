import Platform

/// How many connections each address has. Raised by the acceptor, lowered by the loops.
final class AddressCounts: Sendable {
    /// Connections that one address may have; 0 for no bound, and then nothing is counted.
    private let limit: Int
    /// Who is not counted: everybody behind a proxy has its address.
    private let exempt: [AddressRange]
    private let counts = Locked<[PeerAddress: Int]>([:])

    init(limit: Int, exempt: [AddressRange] = []) {
        self.limit = limit
        self.exempt = exempt
    }

    /// Counts one more connection of `peer`.
    ///
    /// - Returns: Whether it is within the limit. It is counted in any case.
    func enter(_ peer: PeerAddress) -> Bool {
        guard let address = countedAddress(peer) else { return true }
        return counts.withLock { counts in
            let count = counts[address, default: 0] + 1
            counts[address] = count
            return count <= limit
        }
    }

    /// Counts one connection of `peer` less.
    func leave(_ peer: PeerAddress) {
        guard let address = countedAddress(peer) else { return }
        counts.withLock { counts in
            let count = counts[address, default: 1] - 1
            counts[address] = count > 0 ? count : nil
        }
    }

    /// What `peer` is counted by; nil when it is not counted.
    private func countedAddress(_ peer: PeerAddress) -> PeerAddress? {
        guard limit > 0, !exempt.contains(where: { $0.contains(peer) }) else { return nil }
        return peer.countedBy
    }
}
