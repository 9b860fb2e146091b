import FlagCore
import FlagStore
import JSON

extension InvalidItem {
    /// The item as a list shows it.
    ///
    /// - Parameter member: the member that holds its name.
    func json(naming member: String) -> JSONValue { .invalid([(member, name)], issues) }
}

extension InvalidOverride {
    /// The item as a list shows it.
    var json: JSONValue { .invalid([("flagKey", flagKey), ("tenantId", tenant)], issues) }
}

extension JSONValue {
    /// Something whose item is not valid, by its names.
    fileprivate static func invalid(_ names: [(String, String)], _ issues: [DefinitionIssue]) -> JSONValue {
        var object = JSONObject()
        for (member, name) in names { object[member] = .string(name) }
        object["errors"] = .array(
            issues.map { ["pointer": .string($0.pointer), "detail": .string($0.message)] })
        return .object(object)
    }
}
