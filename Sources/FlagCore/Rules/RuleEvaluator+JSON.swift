import JSON

extension RuleEvaluator {
    /// A value as JSON text; of a number the shortest. Allocates: not for the ordinary ways through a rule.
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
        case .string(let bytes):
            try step(bytes.count / Work.scannedBytesPerStep)
            writer.string(bytes)
        case .view(let view) where view.kind == .number && !view.isIntegerSpelling:
            write(try double(of: view), to: &writer)
        case .view(let view): try write(view, to: &writer)
        case .list(let elements):
            try enter()
            defer { leave() }
            writer.beginArray()
            for element in elements { try write(element, to: &writer) }
            writer.endArray()
        case .data:
            writer.beginObject()
            writer.endObject()
        }
    }

    private func write(_ number: Double, to writer: inout JSONWriter) {
        if number.isFinite { NumberText(number).withBytes { writer.raw($0) } } else { writer.null() }
    }

    /// Writes what stands in the rule or the context as it stands there, numbers as they are spelled.
    private mutating func write(_ view: JSONView, to writer: inout JSONWriter) throws(RuleFailure) {
        switch view.kind {
        case .array:
            try enter()
            defer { leave() }
            writer.beginArray()
            for element in view.elements { try write(element, to: &writer) }
            writer.endArray()
        case .object:
            try enter()
            defer { leave() }
            writer.beginObject()
            for (name, value) in view.members {
                try step(name.count / Work.scannedBytesPerStep)
                writer.key(name)
                try write(value, to: &writer)
            }
            writer.endObject()
        case .number, .string:
            try step(1 + view.storedBytes.count / Work.scannedBytesPerStep)
            writer.value(view)
        case .null, .true, .false:
            try step()
            writer.value(view)
        }
    }
}
