/// The field in which a client tells of the trace that a request belongs to (https://www.w3.org/TR/trace-context/,
/// section 3.2): version, trace, parent and flags, `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`.
enum TraceParent {
    /// The identifier of the trace; nil when the field is not as it should be. Of versions to come the beginning is the
    /// same.
    static func traceID(in field: UnsafeRawBufferPointer) -> String? {
        let parts = field.split(separator: UInt8(ascii: "-"), maxSplits: 4, omittingEmptySubsequences: false)
        guard parts.count >= 4, isHexadecimal(parts[0], count: 2), isHexadecimal(parts[1], count: 32),
            isHexadecimal(parts[2], count: 16), isHexadecimal(parts[3], count: 2)
        else { return nil }
        let version = String(decoding: parts[0], as: UTF8.self)
        if version == "ff" || version == "00" && parts.count > 4 { return nil }
        let isNothing =
            parts[1].allSatisfy { $0 == UInt8(ascii: "0") } || parts[2].allSatisfy { $0 == UInt8(ascii: "0") }
        return isNothing ? nil : String(decoding: parts[1], as: UTF8.self)
    }

    private static func isHexadecimal(_ bytes: Slice<UnsafeRawBufferPointer>, count: Int) -> Bool {
        bytes.count == count
            && bytes.allSatisfy {
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
            }
    }
}
