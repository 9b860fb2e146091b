import JSON

extension RuleEvaluator {
    /// A value as JSON text, one for all values that are the same: numbers as they are written as texts, the members of
    /// objects in the order of their names. Allocates: not for the ordinary ways through a rule.
    mutating func jsonText(of value: Operand) throws(RuleFailure) -> [UInt8] {
        var writer = JSONWriter()
        try write(value, to: &writer)
        return writer.bytes
    }

    private mutating func write(_ value: Operand, to writer: inout JSONWriter) throws(RuleFailure) {
        try step()
        switch value {
        case .null: writer.null()
        case .bool(let value): writer.bool(value)
        case .integer(let value): writer.int(value)
        case .number(let value): write(value, to: &writer)
        case .spelled(let view) where view.isIntegerSpelling:
            try step(view.storedBytes.count / Work.scannedBytesPerStep)
            writer.raw(view.storedBytes)
        case .spelled(let view): write(try double(of: view), to: &writer)
        case .string(let bytes):
            try step(bytes.count / Work.scannedBytesPerStep)
            writer.string(bytes)
        case .list, .array:
            try enter()
            defer { leave() }
            writer.beginArray()
            for element in value.elements { try write(element, to: &writer) }
            writer.endArray()
        case .object(let view): try write(object: view, to: &writer)
        case .data:
            writer.beginObject()
            writer.endObject()
        }
    }

    private func write(_ number: Double, to writer: inout JSONWriter) {
        if number.isFinite { NumberText(number).withBytes { writer.raw($0) } } else { writer.null() }
    }

    private mutating func write(object: JSONView, to writer: inout JSONWriter) throws(RuleFailure) {
        try enter()
        defer { leave() }
        writer.beginObject()
        for member in try members(of: object, by: { byteOrder($0.name, $1.name) < 0 }) {
            try step(member.name.count / Work.scannedBytesPerStep)
            writer.key(member.name)
            try write(Operand(member.value), to: &writer)
        }
        writer.endObject()
    }
}
