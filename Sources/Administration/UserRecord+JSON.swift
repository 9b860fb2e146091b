import Access
import FlagCore
import FlagStore
import JSON

extension UserRecord {
    /// The account as it is shown, to administrators and to whose it is.
    ///
    /// - Parameters:
    ///   - now: decides whether a one-time password can still be used.
    func json(at now: Timestamp) -> JSONObject {
        var object: JSONObject = [
            "name": .string(name.text), "roles": roles.json,
            "state": .string(disabledAt == nil ? "active" : "disabled"), "standing": .string(standing.rawValue),
            "secondFactor": .bool(secondFactor != nil),
            "recoveryCodes": .integer(Int64(recoveryDigests.count)), "createdAt": .string(createdAt.rfc3339),
            "createdBy": .string(createdBy),
        ]
        if let end = password.oneTimeEnd {
            object["passwordExpiresAt"] = .string(end.rfc3339)
            object["passwordExpired"] = .bool(end <= now)
        }
        object["disabledAt"] = disabledAt.map { .string($0.rfc3339) }
        return object
    }

    /// The account with the one-time password that was made for it, in the one response that has it.
    func json(at now: Timestamp, with password: String) -> JSONValue {
        var object = json(at: now)
        object["password"] = .string(password)
        return .object(object)
    }
}

extension UserRoles {
    /// The roles by environment; `*` stands for all, where all have the same.
    fileprivate var json: JSONValue {
        func names(_ environment: Environment) -> JSONValue { .array(self[environment].map { .string($0.rawValue) }) }
        let first = Environment.allCases[0]
        if !isEmpty, Environment.allCases.allSatisfy({ self[$0] == self[first] }) { return ["*": names(first)] }
        var object = JSONObject()
        for environment in Environment.allCases where !self[environment].isEmpty {
            object[environment.rawValue] = names(environment)
        }
        return .object(object)
    }

    /// Reads `{"roles"}`.
    init(body json: JSONValue) throws(DefinitionIssues) {
        var reader = FieldReader(body: json, "such as {\"roles\": {\"*\": [\"viewer\"]}}")
        let roles = reader.userRoles("roles")
        try reader.finish()
        self = roles ?? UserRoles([:])
    }
}

extension FieldReader {
    /// Roles by environment; nil when absent or wrong, which is noted.
    mutating func userRoles(_ name: String) -> UserRoles? {
        let expectation =
            "is required: lists of \(Role.names) by environment, as in {\"*\": [\"viewer\"], \"production\": "
            + "[\"operator\"]}, where * is all; {} for none"
        guard case .object(let object)? = value(name) else {
            report(name, expectation)
            return nil
        }
        var roles: [Environment: Set<Role>] = [:]
        for (place, value) in object.members {
            let environments = place == "*" ? Environment.allCases : Environment(spelling: place).map { [$0] } ?? []
            let listed = (value.arrayValue ?? []).map { $0.stringValue.flatMap(Role.init(rawValue:)) }
            guard !environments.isEmpty, value.arrayValue != nil, !listed.contains(nil) else {
                report(name, expectation)
                return nil
            }
            for environment in environments { roles[environment, default: []].formUnion(listed.compactMap { $0 }) }
        }
        return UserRoles(roles)
    }
}
