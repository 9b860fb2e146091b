import JSON

/// The JSON texts that a flag's answers are made of, written once, in memory of the flag that stays where it is: an
/// answer copies them, without counting a reference.
///
/// They lie in the order in which OFREP's success has its members (OFREP 0.3.0, `evaluationSuccess`), so that this
/// answer is four copies; others take the parts of it. Valid as long as the flag.
package struct AnswerTexts {
    /// The key as a JSON string.
    package let key: UnsafeRawBufferPointer
    /// `{"key":"…","reason":"`
    package let opening: UnsafeRawBufferPointer
    /// `,{"key":"…","reason":"`: the same in a list, with a comma before it.
    package let listOpening: UnsafeRawBufferPointer
    /// The metadata that the flag always has (`FlagMetadata.members`), as a JSON object.
    package let metadata: UnsafeRawBufferPointer
    /// `,"metadata":{…}}`
    package let closing: UnsafeRawBufferPointer
    /// What there is of each variant, in the definition's order.
    package let variants: UnsafeBufferPointer<Variant>

    /// The texts of a variant.
    package struct Variant: BitwiseCopyable {
        /// The name as a JSON string.
        package let name: UnsafeRawBufferPointer
        /// The value, numbers spelled as in the definition.
        package let value: UnsafeRawBufferPointer
        /// `","variant":"…","value":…`
        package let outcome: UnsafeRawBufferPointer
        /// The same with the reason before it for which the flag's rule chooses the variant, `TARGETING_MATCH` or
        /// `SPLIT`; without one where nothing chooses.
        package let chosen: UnsafeRawBufferPointer
    }

    /// `,{"key":…}`: the whole answer of a flag that answers everybody alike, with a comma before it; nil for others.
    package let constant: UnsafeRawBufferPointer?

    /// Writes the texts of a flag.
    ///
    /// - Parameters:
    ///   - metadata: what the flag's metadata always has.
    ///   - constant: the variant that everybody gets, always; nil when that depends on something.
    ///   - reason: why the flag's rule chooses variants; nil when it has none.
    ///   - memory: where they are kept.
    init(
        key: String, variants: [CompiledFlag.Variant], metadata: JSONObject, constant: Int?, choosing reason: Reason?,
        in memory: RuleMemory
    ) {
        var text = Text()
        text.append(plain: ",")
        var keyText = 0..<0
        let opening = text.range {
            $0.append(plain: "{\"key\":")
            keyText = $0.append(.string(key))
            $0.append(plain: ",\"reason\":\"")
        }
        if constant != nil { text.append(plain: Reason.static.openFeature(hasValue: true)) }
        // The variant of a constant answer stands where that answer has it.
        let order = [constant].compactMap { $0 } + variants.indices.filter { $0 != constant }
        var outcomes: [Int: Outcome] = [:]
        var closing = 0..<0
        var object = 0..<0
        for index in order {
            outcomes[index] = text.append(variants[index], choosing: reason)
            if index == constant { (closing, object) = text.append(metadata: metadata) }
        }
        if constant == nil { (closing, object) = text.append(metadata: metadata) }
        let bytes = memory.keep(bytes: text.bytes)
        func part(_ range: Range<Int>) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[range]) }
        self.opening = part(opening)
        listOpening = part(0..<opening.upperBound)
        self.key = part(keyText)
        self.closing = part(closing)
        self.metadata = part(object)
        self.constant = constant == nil ? nil : part(0..<closing.upperBound)
        let parts = variants.indices.compactMap { outcomes[$0] }.map {
            Variant(name: part($0.name), value: part($0.value), outcome: part($0.whole), chosen: part($0.chosen))
        }
        self.variants = UnsafeBufferPointer(start: memory.keep(parts), count: parts.count)
    }

    /// Where the texts of a variant are.
    private struct Outcome {
        let whole: Range<Int>
        let chosen: Range<Int>
        let name: Range<Int>
        let value: Range<Int>
    }

    /// The bytes of all texts, while they are written.
    private struct Text {
        private(set) var bytes: [UInt8] = []

        /// Where what `write` appends is.
        mutating func range(of write: (inout Text) -> Void) -> Range<Int> {
            let start = bytes.count
            write(&self)
            return start..<bytes.count
        }

        mutating func append(plain text: StaticString) { text.withUTF8Buffer { bytes += $0 } }

        mutating func append(_ value: JSONValue) -> Range<Int> {
            range { $0.bytes += value.serializedBytes() }
        }

        mutating func append(_ variant: CompiledFlag.Variant, choosing reason: Reason?) -> Outcome {
            let start = bytes.count
            if let reason { append(plain: reason.openFeature(hasValue: true)) }
            var name = 0..<0
            var value = 0..<0
            let whole = range {
                $0.append(plain: "\",\"variant\":")
                name = $0.append(.string(variant.name))
                $0.append(plain: ",\"value\":")
                value = $0.append(variant.value)
            }
            return Outcome(whole: whole, chosen: start..<bytes.count, name: name, value: value)
        }

        mutating func append(metadata: JSONObject) -> (whole: Range<Int>, object: Range<Int>) {
            var object = 0..<0
            let whole = range {
                $0.append(plain: ",\"metadata\":")
                object = $0.append(.object(metadata))
                $0.append(plain: "}")
            }
            return (whole, object)
        }
    }
}
