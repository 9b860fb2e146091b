import FlagCore
import JSON

extension AccessPolicy {
    /// Bytes of a document at most, written without white space.
    package static let bytesMaximum = 10_240
    /// Statements of a document at most.
    static let statementsMaximum = 100

    /// Reads a document.
    ///
    /// - Parameter pointer: where the document stands in what was sent.
    /// - Returns: the policy, and what of it will never match, for whoever wrote it.
    /// - Throws: everything that is wrong.
    package static func read(
        _ json: JSONValue, at pointer: JSONPointer = JSONPointer()
    ) throws(DefinitionIssues) -> (policy: AccessPolicy, warnings: [String]) {
        var reader = PolicyReader()
        let statements = reader.document(json, at: pointer)
        if !reader.issues.isEmpty { throw DefinitionIssues(issues: reader.issues) }
        return (AccessPolicy(statements: statements), reader.warnings)
    }
}

/// Reads a policy document, and collects what is wrong with it.
private struct PolicyReader {
    private(set) var issues: [DefinitionIssue] = []
    private(set) var warnings: [String] = []

    private mutating func report(_ pointer: JSONPointer, _ message: String) {
        issues.append(DefinitionIssue(pointer: pointer.description, message: message))
    }

    mutating func document(_ json: JSONValue, at pointer: JSONPointer) -> [AccessPolicy.Statement] {
        guard let root = json.objectValue else {
            report(pointer, "must be a policy document: an object with Version and Statement")
            return []
        }
        guard json.serializedBytes().count <= AccessPolicy.bytesMaximum else {
            report(pointer, "must have at most \(AccessPolicy.bytesMaximum) bytes, without white space")
            return []
        }
        for name in root.keys where !["Version", "Id", "Statement"].contains(name) {
            report(pointer.appending(name), "is no element of a policy document")
        }
        if let version = root["Version"], !["2012-10-17", "2008-10-17"].contains(version.stringValue) {
            report(pointer.appending("Version"), "must be \"2012-10-17\"")
        }
        let place = pointer.appending("Statement")
        switch root["Statement"] {
        case .object(let statement)?: return [self.statement(statement, at: place)].compactMap(\.self)
        case .array(let list)? where (1...AccessPolicy.statementsMaximum).contains(list.count):
            return list.enumerated().compactMap { position, value in
                let place = place.appending(position)
                if let statement = value.objectValue { return self.statement(statement, at: place) }
                report(place, "must be an object with Effect, Action and Resource")
                return nil
            }
        default:
            report(place, "must be a statement, or a list of up to \(AccessPolicy.statementsMaximum)")
            return []
        }
    }

    private static let elements = [
        "Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition",
    ]

    /// A statement; nil for one that lets nothing pass and forbids nothing, or is wrong.
    private mutating func statement(
        _ object: JSONObject, at pointer: JSONPointer
    ) -> AccessPolicy.Statement? {
        for name in object.keys where !Self.elements.contains(name) {
            let isPrincipal = ["Principal", "NotPrincipal"].contains(name)
            report(
                pointer.appending(name),
                isPrincipal ? "cannot stand here: the policy is the access key's own" : "is no element of a statement")
        }
        let effect = object["Effect"]?.stringValue.flatMap(AccessPolicy.Statement.Effect.init(rawValue:))
        if effect == nil { report(pointer.appending("Effect"), "must be \"Allow\" or \"Deny\"") }
        let actions = names("Action", of: object, at: pointer) { $0 == "*" || $0.contains(":") }
        let resources = names("Resource", of: object, at: pointer) { $0 == "*" || $0.hasPrefix("arn:") }
        guard let effect, let actions, let resources else { return nil }
        // What is about other services is accepted as it is, and says nothing here.
        guard actions.isNegated || actions.texts.contains(where: Self.canBeOurs) else { return nil }
        guard let conditions = conditions(object["Condition"], effect, at: pointer) else { return nil }
        if let variable = resources.texts.first(where: { $0.contains("${") }) {
            noteUnknown("the policy variable in \(variable)", effect, pointer)
            return nil
        }
        return AccessPolicy.Statement(
            effect: effect,
            actions: .init(
                patterns: actions.texts.map { WildcardPattern($0, ignoresCase: true) }, isNegated: actions.isNegated),
            resources: .init(patterns: resources.texts.map(ResourcePattern.init), isNegated: resources.isNegated),
            conditions: conditions)
    }

    /// Whether an action can be one of DynamoDB.
    private static func canBeOurs(_ action: String) -> Bool {
        let service = String(action.prefix { $0 != ":" })
        return WildcardPattern(service, ignoresCase: true).matches(AccessPolicy.service)
    }

    /// `Action` or `NotAction`, `Resource` or `NotResource`: a text or a list of some.
    private mutating func names(
        _ name: String, of object: JSONObject, at pointer: JSONPointer, _ isValid: (String) -> Bool
    ) -> (texts: [String], isNegated: Bool)? {
        let isNegated = object["Not\(name)"] != nil
        let member = isNegated ? "Not\(name)" : name
        guard let value = object[member], !(isNegated && object[name] != nil) else {
            report(pointer.appending(name), "is required: either \(name) or Not\(name)")
            return nil
        }
        guard let texts = Self.texts(value), texts.allSatisfy({ isValid($0) && $0.count <= ResourcePattern.maximum })
        else {
            let example = name == "Action" ? "dynamodb:GetItem" : "arn:aws:dynamodb:*:*:table/NAME"
            report(pointer.appending(member), "must be a text or a list of texts such as \"\(example)\", or \"*\"")
            return nil
        }
        return (texts, isNegated)
    }

    /// The texts of a value that is one or a list of some; nil for anything else.
    private static func texts(_ value: JSONValue) -> [String]? {
        if let text = value.stringValue { return [text] }
        guard let list = value.arrayValue, !list.isEmpty else { return nil }
        let texts = list.compactMap(\.stringValue)
        return texts.count == list.count ? texts : nil
    }
}

extension PolicyReader {
    /// The conditions of a statement; nil where one is not known, so that the statement never matches.
    private mutating func conditions(
        _ value: JSONValue?, _ effect: AccessPolicy.Statement.Effect, at pointer: JSONPointer
    ) -> [PolicyCondition]? {
        guard let value else { return [] }
        let pointer = pointer.appending("Condition")
        guard let object = value.objectValue else {
            report(pointer, "must be an object of operators")
            return nil
        }
        var conditions: [PolicyCondition] = []
        var isKnown = true
        for (name, keys) in object.members {
            let place = pointer.appending(name)
            guard let keys = keys.objectValue else {
                report(place, "must be an object of condition keys")
                continue
            }
            let comparison = Self.comparison(name)
            if comparison == nil {
                noteUnknown("the condition operator \(name)", effect, place)
                isKnown = false
            }
            for (key, values) in keys.members {
                guard let texts = Self.texts(values) else {
                    report(place.appending(key), "must be a text or a list of texts")
                    continue
                }
                let subject = PolicyCondition.Subject.allCases.first { $0.rawValue.lowercased() == key.lowercased() }
                let variable = texts.first { $0.contains("${") }
                guard let comparison, let subject, variable == nil else {
                    let what = variable.map { "the policy variable in \($0)" } ?? "the condition key \(key)"
                    if variable != nil || subject == nil { noteUnknown(what, effect, place.appending(key)) }
                    isKnown = false
                    continue
                }
                conditions.append(
                    PolicyCondition(
                        subject: subject, isForAllValues: comparison.isForAllValues,
                        patterns: texts.map {
                            comparison.isLike ? .like(WildcardPattern($0)) : .exactly($0)
                        }))
            }
        }
        return isKnown ? conditions : nil
    }

    private static func comparison(_ name: String) -> (isForAllValues: Bool, isLike: Bool)? {
        switch name {
        case "StringEquals": (false, false)
        case "StringLike": (false, true)
        case "ForAllValues:StringEquals": (true, false)
        case "ForAllValues:StringLike": (true, true)
        default: nil
        }
    }

    /// Notes what is not known here: what allows never matches then, and what forbids cannot be taken.
    private mutating func noteUnknown(
        _ what: String, _ effect: AccessPolicy.Statement.Effect, _ pointer: JSONPointer
    ) {
        switch effect {
        case .allow: warnings.append("\(pointer): \(what) is not known here: the statement never matches")
        case .deny: report(pointer, "\(what) is not known here, and what forbids must not be left out")
        }
    }
}
