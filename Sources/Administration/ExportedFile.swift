import HTTPRouting
import JSON

/// What an export gives.
package struct ExportedFile: Sendable, Equatable {
    /// The file.
    package let bytes: [UInt8]
    /// What its format has no words for, a line for each flag that it concerns.
    package let leftOut: [String]

    /// A file.
    package init(bytes: [UInt8], leftOut: [String]) {
        self.bytes = bytes
        self.leftOut = leftOut
    }

    /// The header field of a response that tells `leftOut`.
    package static let fieldName = "Flag-Server-Left-Out"
    /// How many lines a header field has room for; of more, the last says how many.
    private static let fieldLines = 20

    /// The value of the header field: a JSON array, percent-encoded; nil when nothing was left out.
    ///
    /// - Parameter isWhole: whether it lists all, which what stands between a client elsewhere and here may not let
    ///   through.
    func fieldValue(isWhole: Bool) -> String? {
        guard !leftOut.isEmpty else { return nil }
        var lines = leftOut.prefix(isWhole ? .max : Self.fieldLines).map { JSONValue.string($0) }
        let more = leftOut.count - lines.count
        if more > 0 { lines.append(.string("\(more) more flags: an export on the server's own machine lists them")) }
        return PercentEncoding.encodedSegment(JSONValue.array(lines).serialized())
    }

    /// The lines of a header field; none when it is not there or cannot be read.
    package static func lines(inField value: String?) -> [String] {
        guard let value else { return [] }
        let text = Array(value.utf8).withUnsafeBytes { try? PercentEncoding.decoded($0) }
        let lines = text.flatMap { try? JSONValue(parsing: $0) }?.arrayValue ?? []
        return lines.compactMap(\.stringValue)
    }
}
