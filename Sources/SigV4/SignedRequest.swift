/// A request without its content, as far as a signature is over it.
package struct SignedRequest: Sendable {
    /// The method, as it was spelled.
    package let method: [UInt8]
    /// The path, as it was sent.
    package let path: [UInt8]
    /// What stands behind the path's `?`, as it was sent; empty without one.
    package let query: [UInt8]
    /// The header fields in the order they came, names in small letters.
    package let fields: [(name: String, value: [UInt8])]

    /// A request of these parts. Each must be bounded by whoever read it.
    package init(method: [UInt8], path: [UInt8], query: [UInt8], fields: [(name: String, value: [UInt8])]) {
        self.method = method
        self.path = path
        self.query = query
        self.fields = fields
    }

    /// The values of the fields of a name, in order.
    func values(_ name: String) -> [[UInt8]] { fields.filter { $0.name == name }.map(\.value) }

    /// The text of the only field of a name; nil when there is none.
    ///
    /// - Throws: when there are several, of which it would be open which is meant.
    func text(_ name: String) throws(SignatureError) -> String? {
        let values = values(name)
        guard values.count <= 1 else { throw .incomplete("The request has more than one \(name)") }
        return values.first.map { String(decoding: $0, as: UTF8.self) }
    }

    /// The query's parameters, decoded, in the order they came.
    var parameters: [(name: [UInt8], value: [UInt8])] {
        query.split(separator: UInt8(ascii: "&")).map { parameter in
            let parts = parameter.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            return (PercentCoding.decoded(parts[0]), parts.count > 1 ? PercentCoding.decoded(parts[1]) : [])
        }
    }
}

/// Percent-encoding as signatures have it: everything but letters, digits and `-._~` is encoded.
enum PercentCoding {
    /// Bytes encoded.
    ///
    /// - Parameter keepsSlashes: whether a slash stays one, as in paths.
    static func encoded(_ bytes: some Sequence<UInt8>, keepsSlashes: Bool = false) -> [UInt8] {
        var result: [UInt8] = []
        let digits = Array("0123456789ABCDEF".utf8)
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.append(byte)
            case UInt8(ascii: "/") where keepsSlashes: result.append(byte)
            default: result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return result
    }

    /// Bytes decoded, once. A `%` without two digits behind it stands for itself.
    static func decoded(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var place = bytes.startIndex
        while place < bytes.endIndex {
            if bytes[place] == UInt8(ascii: "%"), place + 2 < bytes.endIndex,
                let high = Character(UnicodeScalar(bytes[place + 1])).hexDigitValue,
                let low = Character(UnicodeScalar(bytes[place + 2])).hexDigitValue
            {
                result.append(UInt8(high << 4 | low))
                place += 3
            } else {
                result.append(bytes[place])
                place += 1
            }
        }
        return result
    }
}
