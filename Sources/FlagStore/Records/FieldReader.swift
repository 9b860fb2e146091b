import FlagCore
import JSON

/// Reads the members of one JSON object and collects everything that is wrong with it, so that whoever sent it learns
/// it all at once. Null is as if the member were not there.
package struct FieldReader {
    /// What was wrong so far, in the order of reading.
    private(set) var issues: [DefinitionIssue] = []
    private static let issuesMaximum = 200
    private let object: JSONObject
    private let pointer: JSONPointer
    /// The names that were asked for, in the order of asking.
    private var known: [String] = []

    /// Begins with `object`, which lies at `pointer` of the document that was sent.
    package init(_ object: JSONObject, at pointer: JSONPointer = JSONPointer()) {
        self.object = object
        self.pointer = pointer
    }

    /// Begins with a whole body; what is no object is noted, and read as one without members.
    ///
    /// - Parameter expectation: what the object is for, so that it completes the sentence "must be an object …".
    package init(body json: JSONValue, _ expectation: String) {
        self.init(json.objectValue ?? JSONObject())
        if json.objectValue == nil {
            report([DefinitionIssue(pointer: "", message: "must be an object \(expectation)")])
        }
    }

    /// Notes an issue with a member.
    package mutating func report(_ name: String, _ message: String) {
        issues.append(DefinitionIssue(pointer: pointer.appending(name).description, message: message))
    }

    /// Notes issues that were found elsewhere.
    package mutating func report(_ others: [DefinitionIssue]) {
        issues += others
    }

    /// The member, nil when absent; from now on the name is a known one.
    package mutating func value(_ name: String) -> JSONValue? {
        if !known.contains(name) { known.append(name) }
        return object[name].flatMap { $0.isNull ? nil : $0 }
    }

    /// A text that satisfies `rule`; nil when absent or wrong, which is noted.
    package mutating func text(_ name: String, _ rule: TextRule, isRequired: Bool = false) -> String? {
        switch value(name) {
        case nil:
            if isRequired { report(name, "is required: \(rule.expectation)") }
            return nil
        case .string(let text)?:
            if let complaint = rule.complaint(about: text) {
                report(name, complaint)
                return nil
            }
            return text
        default:
            report(name, "must be a string: \(rule.expectation)")
            return nil
        }
    }

    /// A boolean; nil when absent or wrong, which is noted.
    package mutating func flag(_ name: String) -> Bool? {
        switch value(name) {
        case nil: return nil
        case .bool(let value)?: return value
        default:
            report(name, "must be true or false")
            return nil
        }
    }

    /// A point in time; nil when absent or wrong, which is noted.
    package mutating func time(_ name: String) -> Timestamp? {
        switch value(name) {
        case nil: return nil
        case .string(let text)?:
            if let time = Timestamp(rfc3339: text) { return time }
        default: break
        }
        report(name, "must be \(Timestamp.expectation)")
        return nil
    }

    /// A whole number within bounds; nil when absent or wrong, which is noted.
    package mutating func integer(_ name: String, in bounds: ClosedRange<Int>) -> Int? {
        switch value(name) {
        case nil: return nil
        case .number(let number)?:
            if let value = number.int64.flatMap({ Int(exactly: $0) }), bounds.contains(value) { return value }
        default: break
        }
        report(name, "must be a whole number from \(bounds.lowerBound) to \(bounds.upperBound)")
        return nil
    }

    /// A version; nil when absent or wrong, which is noted.
    mutating func version(_ name: String) -> Int64? {
        switch value(name) {
        case nil: return nil
        case .number(let number)?:
            if let value = number.int64, (1...FlagLimits.version).contains(value) { return value }
        default: break
        }
        report(name, "must be a whole number from 1 to \(FlagLimits.version)")
        return nil
    }

    /// An environment; nil when absent or wrong, which is noted.
    package mutating func environment(_ name: String) -> Environment? {
        switch value(name) {
        case nil: return nil
        case .string(let text)?:
            if let environment = Environment(spelling: text) { return environment }
        default: break
        }
        report(name, "must be \(Environment.spellings)")
        return nil
    }

    /// Notes every member that nobody asked for; at some number of issues, whoever sent this has one other problem.
    mutating func reportUnknown() {
        for (name, _) in object.members where !known.contains(name) {
            guard issues.count <= FieldReader.issuesMaximum else { return }
            report(name, Suggestion.unknown(name, among: known))
        }
    }

    /// Ends the reading.
    ///
    /// - Throws: all issues, if there are any.
    package mutating func finish() throws(DefinitionIssues) {
        reportUnknown()
        if !issues.isEmpty { throw DefinitionIssues(issues: issues) }
    }
}
