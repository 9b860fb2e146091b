import Bytes
import FlagCore

/// How evaluations are written: OFREP's way and that of `/api/evaluate`. Names, values and metadata are JSON already;
/// they were made when the flag was compiled.
extension ByteBuffer {
    /// An evaluation as OFREP 0.3.0 has it: `evaluationSuccess`, or `evaluationFailure` when it failed.
    ///
    /// A success without a variant has an empty `variant`, and no `value` but that of a killed boolean flag: released
    /// providers read `variant` and `metadata` whatever happens, and take a missing `value` for the caller's default.
    ///
    /// - Parameter now: the instant of the evaluation, from which the metadata of a flag past its date says so.
    mutating func append(ofrep evaluation: Evaluation, of flag: CompiledFlag, at now: Timestamp) {
        if let error = evaluation.error {
            append("{\"key\":")
            append(flag.texts.key)
            append(",\"errorCode\":\"")
            append(error.code.rawValue)
            append("\",\"errorDetails\":")
            append(jsonString: error.details)
        } else if let index = evaluation.variant {
            append(flag.texts.opening)
            append(evaluation.reason.openFeature(hasValue: true))
            append(flag.texts.variants[index].outcome)
        } else {
            let value = flag.valueJSON(of: evaluation)
            append(flag.texts.opening)
            append(evaluation.reason.openFeature(hasValue: value != nil))
            append("\",\"variant\":\"\"")
            if let value {
                append(",\"value\":")
                append(value)
            }
        }
        guard let metadata = flag.changedMetadataJSON(at: now, killSwitch: evaluation.reason.killSwitch) else {
            return append(flag.texts.closing)
        }
        append(",\"metadata\":")
        append(metadata)
        append(byte: UInt8(ascii: "}"))
    }

    /// The rest of an evaluation, as above, behind its `AnswerTexts.listOpening` and without its
    /// `AnswerTexts.closing`.
    ///
    /// - Parameter evaluation: of a flag that has no date and was not killed: its metadata is what it always is.
    mutating func append(restOfOFREP evaluation: Evaluation, of flag: CompiledFlag) {
        if let error = evaluation.error {
            // A failure has no reason.
            let reason: StaticString = ",\"reason\":\""
            truncate(to: count - reason.utf8CodeUnitCount)
            append(",\"errorCode\":\"")
            append(error.code.rawValue)
            append("\",\"errorDetails\":")
            append(jsonString: error.details)
        } else if let index = evaluation.variant {
            append(evaluation.reason.openFeature(hasValue: true))
            append(flag.texts.variants[index].outcome)
        } else {
            append(evaluation.reason.openFeature(hasValue: false))
            append("\",\"variant\":\"\"")
        }
    }

    /// A failure as OFREP has it.
    ///
    /// - Parameter key: the flag's key as UTF-8; nil for a bulk request, whose failures have none.
    mutating func append(ofrep failure: OFREPFailure, key: UnsafeRawBufferPointer?) {
        append(byte: UInt8(ascii: "{"))
        if let key {
            append("\"key\":")
            append(jsonString: key)
            append(byte: UInt8(ascii: ","))
        }
        append("\"errorCode\":\"")
        append(failure.code.rawValue)
        append("\",\"errorDetails\":")
        append(jsonString: failure.details)
        append(",\"metadata\":{}}")
    }

    /// The members `enabled`, `value` and `variant` of an evaluation for `/api/evaluate`, without braces.
    mutating func append(outcome evaluation: Evaluation, of flag: CompiledFlag) {
        guard evaluation.error == nil, let value = flag.valueJSON(of: evaluation) else {
            append(Self.noOutcome)
            return
        }
        append("\"enabled\":")
        append(flag.isEnabled(by: evaluation) ? "true" : "false")
        append(",\"value\":")
        append(value)
        append(",\"variant\":")
        if let index = evaluation.variant { append(flag.texts.variants[index].name) } else { append("null") }
    }

    /// The members `enabled`, `value` and `variant` where no variant is served.
    static var noOutcome: StaticString { "\"enabled\":false,\"value\":null,\"variant\":null" }

    /// The member `metadata` of `/api/evaluate`, behind others: there only where the server has something to say in it.
    mutating func append(metadataOf flag: CompiledFlag) {
        if flag.isClientSide { append(",\"metadata\":{\"clientSide\":true}") }
    }

    /// The members that say what went wrong, behind others.
    mutating func append(error: EvaluationError?) {
        guard let error else { return }
        append(",\"errorCode\":\"")
        append(error.code.rawValue)
        append("\",\"errorDetails\":")
        append(jsonString: error.details)
    }
}

/// The spelling of instants, remembered from one to the next: most requests of a loop fall into the same second, and
/// then only the milliseconds are written.
struct InstantText: ~Copyable {
    private var second: Int64 = .min
    private var text: [UInt8] = []

    /// Appends an instant as a JSON string, `"2026-01-02T03:04:05.678Z"`.
    mutating func append(_ instant: Timestamp, to answer: inout ByteBuffer) {
        if instant.secondsSinceEpoch != second || text.count != 26 {
            second = instant.secondsSinceEpoch
            text = Array("\"\(instant.rfc3339)\"".utf8)
        } else {
            let milliseconds = instant.millisecondsSinceEpoch - second * 1_000
            text[21] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: milliseconds / 100)
            text[22] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: milliseconds / 10 % 10)
            text[23] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: milliseconds % 10)
        }
        answer.append(text)
    }
}
