import Bytes
import HTTPTransport
import JSON

/// The names that a server answers to.
///
/// A page of another site can have its own name resolve to this machine (DNS rebinding): to the browser the server then
/// belongs to that site, and only `Host` tells. So `Host` must be what nobody else can have resolve to somewhere else:
/// an address, which resolves to nothing but itself, `localhost`, or a name that the operator gave. That a
/// server asks for keys is no reason to do without: what it answers without one, the page would read.
package struct ServedHosts: Sendable {
    /// The names in small letters; nil where any will do.
    private let names: Set<String>?

    /// Whatever a client calls the server by.
    package static let any = ServedHosts(names: nil)

    private init(names: Set<String>?) { self.names = names }

    /// Addresses, `localhost`, and the names given.
    package init(named names: [String]) { self.names = Set(names.map { Self.withoutDot($0.lowercased()) }) }

    /// Whether a `Host` field names this server, port aside.
    package func contains(_ field: UnsafeRawBufferPointer) -> Bool {
        guard let names else { return true }
        let text = String(decoding: field, as: UTF8.self).lowercased()
        let name: String
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            name = String(text[text.index(after: text.startIndex)..<end])
        } else {
            name = Self.withoutDot(String(text.prefix { $0 != ":" }))
        }
        // RFC 6761 section 6.3: these names are the loopback address's, whoever is asked.
        if name == "localhost" || name.hasSuffix(".localhost") { return true }
        return names.contains(name) || PeerAddress(name) != nil
    }

    /// The name of a host, which may end with the root's dot.
    private static func withoutDot(_ name: String) -> String { name.hasSuffix(".") ? String(name.dropLast()) : name }
}

/// Asks on one event loop whether requests name this server.
package struct HostCheck {
    private let hosts: ServedHosts
    /// What was last found to name it: clients say the same in every request, but for load balancers, which ask for its
    /// health by an address.
    private var known: [UInt8] = []
    private var knownBefore: [UInt8] = []

    package init(_ hosts: ServedHosts) { self.hosts = hosts }

    /// Whether the request names this server. One without `Host` comes from no browser; nor does one that comes over a
    /// Unix socket, where names mean nothing.
    @inline(__always)
    package mutating func admits(_ request: borrowing HTTPRequest, from peer: PeerAddress) -> Bool {
        guard let field = request.field("Host") else { return true }
        if known.withUnsafeBytes({ $0.hasSameBytes(as: field) }) { return true }
        return look(at: field, from: peer)
    }

    @inline(never)
    private mutating func look(at field: UnsafeRawBufferPointer, from peer: PeerAddress) -> Bool {
        if knownBefore.withUnsafeBytes({ $0.hasSameBytes(as: field) }) {
            swap(&known, &knownBefore)
            return true
        }
        guard hosts.contains(field) else { return peer.isUnix }
        knownBefore = known
        known = Array(field)
        return true
    }
}
