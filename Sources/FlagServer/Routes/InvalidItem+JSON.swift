import FlagCore
import FlagStore
import JSON

extension InvalidItem {
    /// The item as a list shows it.
    ///
    /// - Parameter member: the member that holds its name.
    func json(naming member: String) -> JSONValue {
        let errors = issues.map { issue in
            JSONValue.object(["pointer": .string(issue.pointer), "detail": .string(issue.message)])
        }
        var object = JSONObject()
        object[member] = .string(name)
        object["errors"] = .array(errors)
        return .object(object)
    }
}
