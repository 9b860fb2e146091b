import Bytes
import JSON

/// A flagd flag file: flags, shared `$evaluators`, and metadata of the set (flagd.dev/schema/v0/flags.json).
package struct FlagdDocument: Sendable {
    /// One flag of the file, made self-contained.
    package struct Flag: Sendable {
        /// The flag's key.
        package let key: String
        /// The definition with every `$ref` replaced and the set's metadata merged in.
        package let definition: JSONValue
        /// The checked definition, or everything that is wrong with it; pointers begin `/flags/KEY/`.
        package let checked: Result<FlagDefinition, DefinitionIssues>
    }

    /// The flags in the file's order.
    package let flags: [Flag]
    /// What is wrong outside the flags: in `$evaluators` and the set's metadata. Flags are usable all the same.
    package let issues: [DefinitionIssue]

    /// Reads a flag file; `flags` may be an object by key, or an array of flags that have a member `key`.
    ///
    /// - Throws: when there are no flags to be found in it. What is wrong with single flags is in `flags`.
    package init(_ json: JSONValue) throws(DefinitionIssues) {
        guard let document = json.objectValue else {
            throw DefinitionIssues(issues: [DefinitionIssue(pointer: "", message: "a flag file must be an object")])
        }
        var issues: [DefinitionIssue] = []
        let evaluators = Self.object("$evaluators", of: document, &issues)
        let metadata = Self.object("metadata", of: document, &issues)
        for (name, value) in metadata.members where !value.isMetadata {
            let pointer = JSONPointer().appending("metadata").appending(name).description
            issues.append(DefinitionIssue(pointer: pointer, message: "must be a string, a number or a boolean"))
        }
        let set = JSONObject(metadata.members.filter { $0.value.isMetadata })
        flags = try Self.members(of: document["flags"]).map { key, pointer, value in
            var resolver = ReferenceResolver(evaluators: evaluators)
            let definition = Self.selfContained(value, &resolver, metadata: set, at: pointer)
            let checked = Result { () throws(DefinitionIssues) in
                do throws(DefinitionIssues) {
                    return try FlagDefinition(wanted: definition, at: pointer)
                } catch {
                    throw DefinitionIssues(issues: error.issues.map { resolver.placed($0) })
                }
            }
            return Flag(key: key, definition: definition, checked: checked)
        }
        self.issues = issues
    }

    /// The member `name`, which must be an object when it is there.
    private static func object(
        _ name: String, of document: JSONObject, _ issues: inout [DefinitionIssue]
    ) -> JSONObject {
        guard let value = document[name] else { return JSONObject() }
        guard let object = value.objectValue else {
            let pointer = JSONPointer().appending(name).description
            issues.append(DefinitionIssue(pointer: pointer, message: "must be an object"))
            return JSONObject()
        }
        return object
    }

    /// The flags as they are written, with key and place.
    private static func members(
        of flags: JSONValue?
    ) throws(DefinitionIssues) -> [(key: String, pointer: JSONPointer, value: JSONValue)] {
        let pointer = JSONPointer().appending("flags")
        switch flags {
        case .object(let object):
            return object.members.map { ($0.key, pointer.appending($0.key), $0.value) }
        case .array(let array):
            var issues: [DefinitionIssue] = []
            var members: [(String, JSONPointer, JSONValue)] = []
            for (index, value) in array.enumerated() {
                let place = pointer.appending(index)
                guard var flag = value.objectValue, let key = flag["key"]?.stringValue, !key.isEmpty else {
                    let message = "must be an object with a member \"key\", a string that is not empty"
                    issues.append(DefinitionIssue(pointer: place.description, message: message))
                    continue
                }
                flag["key"] = nil
                members.append((key, place, .object(flag)))
            }
            guard issues.isEmpty else { throw DefinitionIssues(issues: issues) }
            return members
        default:
            let message = "must be an object of flags by key, or an array of flags with a member \"key\""
            throw DefinitionIssues(issues: [DefinitionIssue(pointer: pointer.description, message: message)])
        }
    }

    private static func selfContained(
        _ value: JSONValue, _ resolver: inout ReferenceResolver, metadata: JSONObject, at pointer: JSONPointer
    ) -> JSONValue {
        guard var flag = value.objectValue else { return value }
        if let targeting = flag["targeting"] {
            flag["targeting"] = resolver.resolve(targeting, at: pointer.appending("targeting"))
        }
        if !metadata.isEmpty, flag["metadata"]?.isNull ?? true {
            flag["metadata"] = .object(metadata)
        } else if !metadata.isEmpty, let own = flag["metadata"]?.objectValue {
            var merged = metadata
            for (name, value) in own.members where !value.isNull { merged[name] = value }
            flag["metadata"] = .object(merged)
        }
        return .object(flag)
    }
}

/// Puts shared rules in the place of the `{"$ref": NAME}` that name them.
///
/// A reference that is unknown, circular, or would make the rule too large stays as it is; the rule compiler finds it.
private struct ReferenceResolver {
    let evaluators: JSONObject
    /// The evaluators being substituted, outermost first.
    private var open: [String] = []
    /// How many more values may be written: references to references could otherwise double the rule with each level.
    private var remaining = RuleLimits.standard.nodes

    /// Where rules were put in, and which; those within others after them.
    private var substitutions: [(place: String, name: String)] = []

    init(evaluators: JSONObject) { self.evaluators = evaluators }

    /// An issue with what was resolved, at its place in the document: within the shared rule that it comes from.
    func placed(_ issue: DefinitionIssue) -> DefinitionIssue {
        let origin = substitutions.last { place, _ in
            issue.pointer == place || issue.pointer.hasPrefix(place + "/")
        }
        guard let origin else { return issue }
        let rule = JSONPointer().appending("$evaluators").appending(origin.name).description
        return DefinitionIssue(
            pointer: rule + issue.pointer.dropFirst(origin.place.count), message: issue.message)
    }

    /// - Parameter pointer: where the value will be.
    mutating func resolve(_ value: JSONValue, at pointer: JSONPointer) -> JSONValue {
        remaining -= 1
        switch value {
        case .array(let elements):
            return .array(elements.enumerated().map { resolve($1, at: pointer.appending($0)) })
        case .object(let object):
            if object.count == 1, let name = object["$ref"]?.stringValue {
                guard let rule = evaluators[name], !open.contains(where: { $0.isExactly(name) }), remaining > 0 else {
                    return value
                }
                open.append(name)
                defer { open.removeLast() }
                substitutions.append((pointer.description, name))
                return resolve(rule, at: pointer)
            }
            return .object(
                JSONObject(object.members.map { ($0.key, resolve($0.value, at: pointer.appending($0.key))) }))
        default:
            return value
        }
    }
}

extension JSONValue {
    /// Whether the value may stand in metadata.
    fileprivate var isMetadata: Bool {
        switch self {
        case .string, .number, .bool: true
        default: false
        }
    }
}
