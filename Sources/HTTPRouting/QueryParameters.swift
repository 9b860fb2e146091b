import FlagCore

/// The parameters of a query string, each known to its route and present at most once.
package struct QueryParameters: Sendable {
    private var values: [String: String] = [:]

    /// Reads `query`, the part of a target behind its `?`.
    ///
    /// - Parameters:
    ///   - allowed: the names that the route knows.
    ///   - ignoresOthers: whether others are passed over, as OFREP has it, in place of being refused.
    /// - Throws: a problem that names every parameter which is unknown, repeated or cannot be decoded.
    package init(
        _ query: UnsafeRawBufferPointer?, allowing allowed: [String], ignoresOthers: Bool = false
    ) throws(Problem) {
        var fields: [Problem.Field] = []
        for pair in (query ?? UnsafeRawBufferPointer(start: nil, count: 0)).split(separator: UInt8(ascii: "&")) {
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            do throws(PercentEncoding.Failure) {
                let name = try PercentEncoding.decoded(.init(rebasing: parts[0]), plusIsSpace: true)
                let value =
                    parts.count == 2 ? try PercentEncoding.decoded(.init(rebasing: parts[1]), plusIsSpace: true) : ""
                if !allowed.contains(name) {
                    if ignoresOthers { continue }
                    let known = allowed.isEmpty ? "none" : allowed.joined(separator: ", ")
                    let meant = Suggestion.nearest(to: name, among: allowed).map { "; did you mean \($0)?" } ?? ""
                    fields.append(
                        .init(pointer: "?\(name)", detail: "unknown query parameter\(meant); known here: \(known)"))
                } else if values.updateValue(value, forKey: name) != nil {
                    fields.append(.init(pointer: "?\(name)", detail: "the query parameter is given more than once"))
                }
            } catch {
                let text = String(decoding: pair, as: UTF8.self)
                fields.append(.init(pointer: "?\(text)", detail: "cannot be decoded: \(error.description)"))
            }
        }
        guard fields.isEmpty else { throw .invalidQuery(fields) }
    }

    /// The value of a parameter, decoded; an empty string when only its name is there.
    package subscript(name: String) -> String? { values[name] }

    /// A whole number of a parameter within bounds, or nil when the parameter is absent.
    package func integer(_ name: String, in bounds: ClosedRange<Int>) throws(Problem) -> Int? {
        guard let text = values[name] else { return nil }
        guard let number = Int(text), bounds.contains(number) else {
            let detail = "must be a whole number from \(bounds.lowerBound) to \(bounds.upperBound), not \"\(text)\""
            throw .invalidQuery([.init(pointer: "?\(name)", detail: detail)])
        }
        return number
    }
}
