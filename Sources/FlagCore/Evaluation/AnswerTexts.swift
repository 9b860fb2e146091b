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
    /// The flag's own metadata as a JSON object.
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
    }

    /// Writes the texts of a flag.
    ///
    /// - Parameters:
    ///   - metadata: the flag's own metadata.
    ///   - memory: where they are kept.
    init(key: String, variants: [CompiledFlag.Variant], metadata: JSONObject, in memory: RuleMemory) {
        let keyText = JSONValue.string(key).serializedBytes()
        (opening, self.key) = Self.keep("{\"key\":", keyText, ",\"reason\":\"", in: memory)
        (closing, self.metadata) = Self.keep(
            ",\"metadata\":", JSONValue.object(metadata).serializedBytes(), "}", in: memory)
        let texts = variants.map { variant in
            let nameText = JSONValue.string(variant.name).serializedBytes()
            let valueText = variant.value.serializedBytes()
            let text = Array("\",\"variant\":".utf8) + nameText + Array(",\"value\":".utf8) + valueText
            let outcome = memory.keep(bytes: text)
            return Variant(
                name: UnsafeRawBufferPointer(rebasing: outcome.dropFirst(12).prefix(nameText.count)),
                value: UnsafeRawBufferPointer(rebasing: outcome.suffix(valueText.count)), outcome: outcome)
        }
        self.variants = UnsafeBufferPointer(start: memory.keep(texts), count: texts.count)
    }

    private static func keep(
        _ before: StaticString, _ text: [UInt8], _ after: StaticString, in memory: RuleMemory
    ) -> (whole: UnsafeRawBufferPointer, text: UnsafeRawBufferPointer) {
        let whole = memory.keep(bytes: Array("\(before)".utf8) + text + Array("\(after)".utf8))
        let start = before.utf8CodeUnitCount
        return (whole, UnsafeRawBufferPointer(rebasing: whole[start..<(start + text.count)]))
    }
}
