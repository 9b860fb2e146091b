import JSON

extension Operand {
    /// The value as JSON text; of a number the shortest. Allocates: not for the ordinary ways through a rule.
    var jsonText: [UInt8] {
        var writer = JSONWriter()
        write(to: &writer)
        return writer.bytes
    }

    private func write(to writer: inout JSONWriter) {
        switch self {
        case .null: writer.null()
        case .bool(let value): writer.bool(value)
        case .integer(let value): writer.int(value)
        case .number(let value):
            if value.isFinite { NumberText(value).withBytes { writer.raw($0) } } else { writer.null() }
        case .string(let bytes): writer.string(bytes)
        case .view(let view): writer.value(view)
        case .list(let elements):
            writer.beginArray()
            for element in elements { element.write(to: &writer) }
            writer.endArray()
        case .data:
            writer.beginObject()
            writer.endObject()
        }
    }
}
