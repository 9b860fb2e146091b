import Bytes

/// Which media types a client takes, and how much it wants each: what `Accept` says (RFC 9110 §12.5.1), in thousandths.
package struct AcceptedTypes {
    private var ranges: [(name: String, weight: Int)] = []

    /// Reads a field's value; several fields joined. Anything is taken where there is none.
    package init(_ accept: String?) {
        guard let accept else {
            ranges.append(("*/*", 1000))
            return
        }
        Array(accept.utf8).withUnsafeBytes { value in
            forEachElement(of: value) { element in
                let parts = element.split(separator: 0x3B)
                guard let first = parts.first else { return }
                let name = element[AcceptedCodings.trimmed(element, first.indices)]
                // Other parameters say which version of a type is meant.
                let weight = parts.dropFirst().first { part in
                    let text = element[AcceptedCodings.trimmed(element, part.indices)]
                    return text.count > 1 && text.first.map { $0 | 0x20 } == 0x71 && text[text.startIndex + 1] == 0x3D
                }.map { AcceptedCodings.weight(element, $0.indices) }
                ranges.append((String(decoding: name, as: UTF8.self).lowercased(), weight ?? 1000))
            }
        }
    }

    /// How much a type is wanted, by the most specific range that has it; 0 where none has.
    package func weight(of type: String) -> Int {
        let group = "\(type.prefix { $0 != "/" })/*"
        return weight(named: type) ?? weight(named: group) ?? weight(named: "*/*") ?? 0
    }

    /// How much a type is wanted that is named itself; nil where it is not.
    package func weight(named name: String) -> Int? { ranges.filter { $0.name == name }.map(\.weight).max() }
}
