import FlagCore
import FlagStore
import JSON

/// A flag in flagd's format, with owner, description and `clientSide` in the metadata, where an import looks for them.
struct FlagdForm {
    /// The definition.
    let definition: JSONValue
    /// What flagd has no words for and was left out, in words.
    let leftOut: [String]

    /// Puts a flag into flagd's words: a rollout becomes targeting with the same buckets, segments become what they
    /// stand for.
    ///
    /// - Parameter stored: where the segments are.
    init(_ record: FlagRecord, segmentsIn stored: FlagReader) throws(FlagStoreError) {
        var leftOut: [String] = []
        var json: JSONValue
        switch record.rule.spelling {
        case .simple(let defaultEnabled):
            json = FlagdForm.definition(of: record.rule, defaultEnabled: defaultEnabled, &leftOut)
        case .full(let text):
            json = (try? JSONValue(parsing: text)) ?? .object(JSONObject())
        }
        // A member of its own of that name means nothing here; there it would.
        json = ClientSideMetadata.removed(from: json)
        if let requires = try? record.rule.prerequisites(), !requires.isEmpty {
            leftOut.append("it requires \(requires.map(\.flagKey).joined(separator: ", "))")
        }
        guard case .object(var definition) = json else {
            self.definition = json
            self.leftOut = leftOut
            return
        }
        if let targeting = definition["targeting"], !record.rule.segmentReferences().isEmpty {
            var inlining = SegmentInlining(stored)
            definition["targeting"] = try inlining.inline(targeting)
            leftOut += inlining.leftOut
        }
        var metadata = definition["metadata"]?.objectValue ?? JSONObject()
        if metadata["owner"] == nil, record.owner != "imported" { metadata["owner"] = .string(record.owner) }
        if metadata["description"] == nil, record.description != record.key {
            metadata["description"] = .string(record.description)
        }
        if record.isClientSide { metadata[ClientSideMetadata.name] = true }
        if !metadata.isEmpty { definition["metadata"] = .object(metadata) }
        self.definition = .object(definition)
        self.leftOut = leftOut
    }

    /// The simple spelling. flagd has no clock of a time zone: business hours are left out, and the metadata says so.
    private static func definition(
        of rule: FlagRule, defaultEnabled: Bool, _ leftOut: inout [String]
    ) -> JSONValue {
        guard case .object(var definition) = FlagDefinition.simple(defaultEnabled: defaultEnabled).json else {
            preconditionFailure("A definition is an object")
        }
        guard let rollout = try? rule.parsedRollout() else { return .object(definition) }
        definition["targeting"] = rollout.flagdTargeting
        if rollout.businessHours != nil {
            definition["metadata"] = ["businessHours": "left out by the export"]
            leftOut.append("it has business hours")
        }
        return .object(definition)
    }
}

/// Puts what segments stand for in the place of their names.
private struct SegmentInlining {
    private let stored: FlagReader
    private(set) var leftOut: [String] = []
    private var depth = 0

    /// How many listed keys are written into a rule.
    private static let keysMaximum = 1_000

    init(_ stored: FlagReader) { self.stored = stored }

    /// A rule without names of segments.
    ///
    /// - Parameter isInBody: whether variables are looked up in an element, where the context cannot be seen.
    mutating func inline(_ rule: JSONValue, isInBody: Bool = false) throws(FlagStoreError) -> JSONValue {
        switch rule {
        case .array(let elements):
            var inlined: [JSONValue] = []
            for element in elements { inlined.append(try inline(element, isInBody: isInBody)) }
            return .array(inlined)
        case .object(let object):
            guard object.count == 1, let (name, value) = object.members.first else { return rule }
            guard name != "segment" else { return try segment(value, isInBody: isInBody) }
            guard let arguments = value.arrayValue, SegmentInlining.withBodies.contains(name) else {
                return .object([name: try inline(value, isInBody: isInBody)])
            }
            var inlined: [JSONValue] = []
            for (index, argument) in arguments.enumerated() {
                inlined.append(try inline(argument, isInBody: isInBody || index == 1))
            }
            return .object([name: .array(inlined)])
        default:
            return rule
        }
    }

    private static let withBodies: Set<String> = ["map", "filter", "reduce", "all", "some", "none"]

    private mutating func segment(_ argument: JSONValue, isInBody: Bool) throws(FlagStoreError) -> JSONValue {
        let arguments = argument.arrayValue ?? [argument]
        guard let name = arguments.first?.stringValue,
            let item = try stored.segmentItem(name),
            let record = SegmentRecord(item, in: stored.environment)
        else {
            leftOut.append("it names a segment that does not exist")
            return false
        }
        guard !isInBody, depth < SegmentReference.depthMaximum else {
            leftOut.append("it names the segment \(name) where flagd cannot see the whole context")
            return false
        }
        var parts: [JSONValue] = []
        let keys = try stored.allKeys(ofSegment: name)
        if keys.count > Self.keysMaximum {
            leftOut.append("the segment \(name) lists \(keys.count) keys, too many for a rule")
        } else if !keys.isEmpty {
            let subject = try arguments.count > 1 ? inline(arguments[1]) : ["var": "targetingKey"]
            parts.append(["in": [subject, .array(keys.map { .string($0) })]])
        }
        if let condition = (try? record.parsedCondition())?.map(\.json) {
            if condition.dependsOnName {
                leftOut.append("the segment \(name) has buckets of its own: other people are in")
            }
            depth += 1
            parts.append(try inline(condition))
            depth -= 1
        }
        // What a segment comes to is true or false; a condition may come to anything.
        return parts.isEmpty ? false : ["!!": [parts.count == 1 ? parts[0] : ["or": .array(parts)]]]
    }
}

extension JSONValue {
    /// Whether a condition takes the segment's name for the flag's key: with flagd it is the flag's.
    fileprivate var dependsOnName: Bool {
        switch self {
        case .string(let text): return text == "$flagd.flagKey"
        case .array(let elements): return elements.contains(where: \.dependsOnName)
        case .object(let object):
            // Without a subject, the key is hashed as well.
            if let first = object["fractional"]?.arrayValue?.first, first.arrayValue != nil { return true }
            return object.members.contains { $0.value.dependsOnName }
        default: return false
        }
    }
}
