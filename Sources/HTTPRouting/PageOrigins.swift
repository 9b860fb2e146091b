import HTTPTransport

/// The origins whose pages may have a browser call what pages of other sites may not, and read what comes back
/// (https://fetch.spec.whatwg.org/#http-cors-protocol).
///
/// By default there is none: where nobody is asked for a credential, a page of any other site could read everything and
/// change it.
package struct PageOrigins: Sendable, Equatable {
    /// Those that are named, in small letters, as browsers send them.
    let named: [[UInt8]]
    /// Whether `*` stands for all others.
    let containsAll: Bool

    /// Origins such as `http://localhost:5173`, or `*` for all of them.
    package init(_ origins: [String]) {
        named = origins.filter { $0 != "*" }.map { Array($0.lowercased().utf8) }
        containsAll = origins.contains("*")
    }

    /// No page but those of this server, of which it has none.
    package static let none = PageOrigins([])

    /// Whether there is none.
    package var isEmpty: Bool { named.isEmpty && !containsAll }

    /// Whether pages of this origin, the value of `Origin`, may call and read.
    package func contain(_ origin: UnsafeRawBufferPointer) -> Bool { containsAll || place(of: origin) != nil }

    /// Which of those that are named this is, the value of `Origin`. Allocates nothing.
    func place(of origin: UnsafeRawBufferPointer) -> Int? {
        named.firstIndex { name in
            name.count == origin.count && name.indices.allSatisfy { name[$0] == Self.small(origin[$0]) }
        }
    }

    private static func small(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

    // MARK: What an operator gives

    /// What is wrong with an origin that an operator gives; nil when nothing is.
    package static func complaint(about origin: String) -> String? {
        if origin == "*" || isOrigin(origin.lowercased()) { return nil }
        return "an origin is http:// or https:// and a host, with its port where that is not 80 or 443, without a path "
            + "and a slash at the end; or *"
    }

    /// Whether a browser could send this: what it never sends would let nobody in, and nobody would know why.
    private static func isOrigin(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[1].isEmpty else { return false }
        return switch parts[0] {
        case "http:": isHost(parts[2], withoutPort: "80")
        case "https:": isHost(parts[2], withoutPort: "443")
        default: false
        }
    }

    /// A name or an address, and a port unless it is the scheme's own: browsers leave that out.
    private static func isHost(_ text: Substring, withoutPort usual: String) -> Bool {
        let isLiteral = text.hasPrefix("[")
        let end = isLiteral ? text.firstIndex(of: "]").map(text.index(after:)) : text.firstIndex(of: ":")
        let (host, rest) = (text[..<(end ?? text.endIndex)], text[(end ?? text.endIndex)...])
        let isNamed =
            isLiteral
            ? host.hasSuffix("]") && PeerAddress(String(host.dropFirst().dropLast())) != nil
            : !host.isEmpty && host.utf8.allSatisfy(isOfName)
        guard isNamed else { return false }
        guard rest.first == ":" else { return rest.isEmpty }
        let port = String(rest.dropFirst())
        return port != usual && UInt16(port).map { String($0) == port && $0 > 0 } ?? false
    }

    private static func isOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"): true
        default: false
        }
    }
}
