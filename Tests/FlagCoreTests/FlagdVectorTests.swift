import FlagCore
import JSON
import Testing

@Suite("The public flagd vectors")
struct FlagdVectorTests {
    @Test("every case of flagd's own test suite holds and is explained, under the bucketing versions it is meant for")
    func testbed() throws { try run("flagd_testbed.json") }

    @Test("every case on which the independent implementations agree holds and is explained")
    func differential() throws { try run("flagd_differential.json") }

    private func run(_ name: String) throws {
        guard let file = try VectorFiles.read(name) else { return }
        let sets = try (file["flagSets"]?.objectValue ?? [:]).members.map { ($0.key, try FlagdDocument($0.value)) }
        let documents = Dictionary(uniqueKeysWithValues: sets)
        var passed = 0
        var disputed: (same: Int, different: Int) = (0, 0)
        for json in file["cases"]?.arrayValue ?? [] {
            let vector = try #require(FlagdVector(json))
            for version in vector.versions {
                let findings = try vector.findings(in: try #require(documents[vector.flagSet]), version)
                if vector.isDisputed {
                    if findings.isEmpty { disputed.same += 1 } else { disputed.different += 1 }
                } else {
                    #expect(findings.isEmpty, "\(vector.id) under \(version): \(findings.joined(separator: "; "))")
                    passed += findings.isEmpty ? 1 : 0
                }
            }
        }
        print(
            "\(name): \(passed) evaluations as expected; disputed ones: \(disputed.same) as the majority,",
            "\(disputed.different) otherwise")
    }
}

/// One case of a vector file.
private struct FlagdVector {
    let id: String
    let flagSet: String
    let flagKey: String
    let type: String
    let callersDefault: JSONValue
    let context: JSONValue
    let expected: JSONObject
    let isDisputed: Bool
    let metadataContains: Bool
    let versions: [FractionalVersion]

    init?(_ json: JSONValue) {
        guard let id = json["id"]?.stringValue, let flagSet = json["flagSet"]?.stringValue,
            let flagKey = json["flagKey"]?.stringValue, let type = json["type"]?.stringValue,
            let expected = json["expect"]?.objectValue
        else { return nil }
        self.id = id
        self.flagSet = flagSet
        self.flagKey = flagKey
        self.type = type
        self.expected = expected
        callersDefault = json["default"] ?? .null
        context = json["context"] ?? [:]
        isDisputed = json["disputed"]?.boolValue ?? false
        metadataContains = (json["metadataMatch"] ?? expected["metadataMatch"])?.stringValue == "contains"
        versions =
            json["fractional"]?.stringValue.flatMap { FractionalVersion(rawValue: $0) }.map { [$0] } ?? [.v2, .v3]
    }

    /// How the evaluation differs from what is expected.
    func findings(in document: FlagdDocument, _ version: FractionalVersion) throws -> [String] {
        guard let flag = document.flags.first(where: { $0.key == flagKey }) else {
            let error = EvaluationError(code: .flagNotFound, details: "no such flag")
            return findings(Evaluation(error: error), CompiledFlag(key: flagKey, invalid: "no such flag"))
        }
        let compiled = CompiledFlag(
            key: flagKey, definition: FlagDefinition(keeping: flag.definition), fractional: version)
        let text = context.serializedBytes()
        let now = Timestamp(millisecondsSinceEpoch: 1_790_000_000_000)
        let (evaluation, explanation) = try text.withUnsafeBytes { bytes in
            let tape = JSONTape()
            try tape.parse(bytes)
            let context = EvaluationContext(attributes: tape.root)
            var run = EvaluationRun(now: now)
            return (
                compiled.evaluate(context, killSwitch: nil, override: nil, now: now),
                compiled.explain(context, killSwitch: nil, override: nil, in: &run)
            )
        }
        let isExplained = explanation.evaluation == evaluation
        return findings(evaluation, compiled)
            + (isExplained ? [] : ["explained as \(explanation.evaluation): \(explanation.trace)"])
    }

    private func findings(_ evaluation: Evaluation, _ flag: CompiledFlag) -> [String] {
        var findings: [String] = []
        func compare(_ what: String, _ actual: JSONValue, _ expected: JSONValue?, _ isSame: Bool) {
            guard let expected, !isSame else { return }
            findings.append("\(what) \(actual), expected \(expected)")
        }
        let variant = evaluation.variant.map { flag.variants[$0] }
        // A type is asked for only in an SDK; there a value of another type is an error.
        if evaluation.error == nil, let value = variant?.value, !isOfType(value) {
            return expected["errorCode"] == "TYPE_MISMATCH" ? [] : ["value \(value) is not of type \(type)"]
        }
        let value = variant?.value ?? callersDefault
        compare("value", value, expected["value"], value.isNumericallyEqual(to: expected["value"] ?? .null))
        let code = evaluation.error.map { JSONValue.string($0.code.rawValue) } ?? .null
        compare("error code", code, expected["errorCode"], code == expected["errorCode"])
        let reason = JSONValue.string(evaluation.reason.openFeature(hasValue: variant != nil).description)
        compare("reason", reason, expected["reason"], reason == expected["reason"])
        let name = variant.map { JSONValue.string($0.name) } ?? .null
        compare("variant", name, expected["variant"], name == expected["variant"])
        let now = Timestamp(millisecondsSinceEpoch: 1_790_000_000_000)
        let metadata =
            (try? JSONValue(
                parsing: flag.changedMetadataJSON(at: now, killSwitch: nil) ?? Array(flag.texts.metadata))) ?? .null
        compare("metadata", metadata, expected["metadata"], hasExpectedMetadata(metadata))
        return findings
    }

    private func hasExpectedMetadata(_ metadata: JSONValue) -> Bool {
        guard metadataContains, let members = expected["metadata"]?.objectValue?.members else {
            return metadata.isNumericallyEqual(to: expected["metadata"] ?? .null)
        }
        return members.allSatisfy { metadata[$0.key]?.isNumericallyEqual(to: $0.value) ?? false }
    }

    private func isOfType(_ value: JSONValue) -> Bool {
        switch type {
        case "boolean": value.boolValue != nil
        case "string": value.stringValue != nil
        case "integer": value.numberValue?.int64 != nil
        case "float": value.numberValue != nil
        case "object": value.objectValue != nil || value.arrayValue != nil
        default: false
        }
    }
}

extension JSONValue {
    /// Whether both are equal when 1 and 1.0 are.
    func isNumericallyEqual(to other: JSONValue) -> Bool {
        switch (self, other) {
        case (.number(let left), .number(let right)): left.double == right.double
        case (.array(let left), .array(let right)):
            left.count == right.count && zip(left, right).allSatisfy { $0.isNumericallyEqual(to: $1) }
        case (.object(let left), .object(let right)):
            left.count == right.count
                && left.members.allSatisfy { right[$0.key]?.isNumericallyEqual(to: $0.value) ?? false }
        default: self == other
        }
    }
}
