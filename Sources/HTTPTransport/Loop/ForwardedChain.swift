/// The addresses that proxies say they were asked by, nearest last (RFC 7239, and its older form `X-Forwarded-For`).
struct ForwardedChain {
    /// One for each proxy; nil for one that does not tell, or that tells what is no address.
    private(set) var addresses: [PeerAddress?] = []

    /// What the `Forwarded` fields of a request tell.
    init(forwarded request: borrowing HTTPRequest) {
        var addresses: [PeerAddress?] = []
        request.forEachField("forwarded") { value in
            for element in ForwardedChain.split(value, at: 0x2C) {
                addresses.append(ForwardedChain.address(inElement: element))
            }
        }
        self.addresses = addresses
    }

    /// What the `X-Forwarded-For` fields of a request tell.
    init(forwardedFor request: borrowing HTTPRequest) {
        var addresses: [PeerAddress?] = []
        request.forEachField("x-forwarded-for") { value in
            // It knows no quotes: with them a client could make of the proxy's own element a part of one that is none.
            for element in value.split(separator: 0x2C, omittingEmptySubsequences: false) {
                let text = String(decoding: element, as: UTF8.self)
                addresses.append(ForwardedChain.address(ofNode: ForwardedChain.trimmed(text)))
            }
        }
        self.addresses = addresses
    }

    /// The first address on the way back from us that is not one of ours; `peer` itself where the chain breaks off.
    func client(of peer: PeerAddress, trusting ranges: [AddressRange]) -> PeerAddress {
        var client = peer
        for address in addresses.reversed() {
            guard let address, ranges.contains(where: { $0.contains(client) }) else { return client }
            client = address
        }
        return client
    }

    /// `for=192.0.2.60;proto=http`, names in any case.
    private static func address(inElement element: String) -> PeerAddress? {
        for pair in split(element.utf8, at: 0x3B) {
            let parts = trimmed(pair).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2, parts[0].lowercased() == "for" { return address(ofNode: String(parts[1])) }
        }
        return nil
    }

    /// An address, in quotes or not, with a port or without; of IPv6 in brackets where a port may follow.
    private static func address(ofNode node: String) -> PeerAddress? {
        var node = node[...]
        if node.first == "\"", node.last == "\"", node.count > 1 { node = node.dropFirst().dropLast() }
        if node.first == "[", let close = node.firstIndex(of: "]") {
            return PeerAddress(String(node[node.index(after: node.startIndex)..<close]))
        }
        if let colon = node.firstIndex(of: ":"), node.lastIndex(of: ":") == colon { node = node[..<colon] }
        return PeerAddress(String(node))
    }

    /// Splits where `separator` stands outside of quotes.
    private static func split(_ bytes: some Sequence<UInt8>, at separator: UInt8) -> [String] {
        var parts: [[UInt8]] = [[]]
        var isQuoted = false
        for byte in bytes {
            if byte == 0x22 { isQuoted.toggle() }
            if byte == separator, !isQuoted { parts.append([]) } else { parts[parts.count - 1].append(byte) }
        }
        return parts.map { String(decoding: $0, as: UTF8.self) }
    }

    private static func trimmed(_ text: String) -> String {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        return String(text.drop(while: isBlank).reversed().drop(while: isBlank).reversed())
    }
}

extension Exchange {
    /// Who is at the other end of the connection: the client, or a proxy.
    package var peer: PeerAddress { connection.pointee.peer }

    /// Whether the peer is one of the proxies that the configuration trusts.
    package var comesThroughProxy: Bool { loop.pointee.trustedProxies.contains { $0.contains(peer) } }

    /// Who asks, as far as it can be told: the peer, and behind the proxies that the configuration trusts what they say
    /// of theirs. When `Forwarded` and `X-Forwarded-For` tell different things, one of them came from the client: then
    /// neither counts.
    ///
    /// - Complexity: O(number of fields), and allocates behind a trusted proxy only.
    package func client(of request: borrowing HTTPRequest) -> PeerAddress {
        let ranges = loop.pointee.trustedProxies
        guard !ranges.isEmpty, ranges.contains(where: { $0.contains(peer) }) else { return peer }
        let (new, old) = (ForwardedChain(forwarded: request), ForwardedChain(forwardedFor: request))
        if new.addresses.isEmpty { return old.client(of: peer, trusting: ranges) }
        let client = new.client(of: peer, trusting: ranges)
        return old.addresses.isEmpty || old.client(of: peer, trusting: ranges) == client ? client : peer
    }
}
