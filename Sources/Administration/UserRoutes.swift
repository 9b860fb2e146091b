import Access
import AccessStore
import FlagCore
import FlagStore
import HTTPRouting
import HTTPTransport
import JSON

/// The persons who administer, as administrators see to them.
enum UserRoutes {
    /// The routes.
    static let routes = [
        AdministrationRoute(.get, "/api/users", "listUsers", looking, list),
        AdministrationRoute(.post, "/api/users", "createUser", changing, create),
        AdministrationRoute(.get, "/api/users/{userName}", "getUser", looking, get),
        AdministrationRoute(.put, "/api/users/{userName}/roles", "setUserRoles", changing, setRoles),
        AdministrationRoute(
            .post, "/api/users/{userName}/reset-password", "resetUserPassword", changing, resetPassword),
        AdministrationRoute(.post, "/api/users/{userName}/reset-totp", "resetUserTotp", changing, resetSecondFactor),
        AdministrationRoute(.post, "/api/users/{userName}/disable", "disableUser", changing, disable),
        AdministrationRoute(.post, "/api/users/{userName}/enable", "enableUser", changing, enable),
        AdministrationRoute(.delete, "/api/users/{userName}/sessions", "endUserSessions", changing, endSessions),
    ]

    private static let looking = RoutePolicy("users", .needsEverywhere(.administer)).with { $0.audit = .watched }
    private static let changing = looking.with {
        $0.audit = .change
        $0.wantsReason = true
    }.behindPasswords

    private static func list(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let records = try administration.onUsers { () throws(KeyStoreError) in
            try administration.accounts.users.load()
        }
        let sorted = records.sorted { $0.name < $1.name }
        return .respond(.json(["users": .array(sorted.map { .object($0.json(at: administration.now())) })]))
    }

    private static func create(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let draft = try request.draft { json throws(DefinitionIssues) in try UserDraft(json: json) }
        return .passwordWork(.caller) { () throws(Problem) in
            let now = administration.now()
            let (record, password) = try administration.onUsers { () throws(KeyStoreError) in
                try administration.accounts.users.create(
                    draft.name, draft.roles, by: request.principal, at: now)
            }
            return .json(
                record.json(at: now, with: password), status: .created,
                fields: [("Location", "/api/users/\(record.name)"), ("Cache-Control", "no-store")])
        }
    }

    private static func get(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        try change(request, administration) { users, name, _ throws(KeyStoreError) in try users.find(name) }
    }

    private static func setRoles(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let roles = try request.draft { json throws(DefinitionIssues) in try UserRoles(body: json) }
        return try change(request, administration) { users, name, now throws(KeyStoreError) in
            try users.setRoles(of: name, to: roles, by: request.principal, at: now)
        }
    }

    private static func resetPassword(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let name = try request.userName()
        return .passwordWork(.caller) { () throws(Problem) in
            let now = administration.now()
            let (record, password) = try administration.onUsers { () throws(KeyStoreError) in
                try administration.accounts.users.resetPassword(of: name, by: request.principal, at: now)
            }
            return .json(record.json(at: now, with: password), fields: [("Cache-Control", "no-store")])
        }
    }

    private static func resetSecondFactor(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        try change(request, administration) { users, name, now throws(KeyStoreError) in
            try users.resetSecondFactor(of: name, by: request.principal, at: now)
        }
    }

    private static func disable(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        try change(request, administration) { users, name, now throws(KeyStoreError) in
            try users.set(name, disabled: true, by: request.principal, at: now)
        }
    }

    private static func enable(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        try change(request, administration) { users, name, now throws(KeyStoreError) in
            try users.set(name, disabled: false, by: request.principal, at: now)
        }
    }

    private static func endSessions(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        try change(request, administration) { users, name, now throws(KeyStoreError) in
            try users.endSessions(of: name, by: request.principal, at: now)
        }
    }

    /// Does something to the user in the path, and answers with the user.
    private static func change(
        _ request: AdministrationRequest, _ administration: Administration,
        _ body: (UserStore, UserName, Timestamp) throws(KeyStoreError) -> UserRecord
    ) throws(Problem) -> Outcome {
        let name = try request.userName()
        let now = administration.now()
        let record = try administration.onUsers { () throws(KeyStoreError) in
            try body(administration.accounts.users, name, now)
        }
        return .respond(.json(.object(record.json(at: now))))
    }
}

extension AdministrationRequest {
    /// The user's name in the path. What is no name is the name of nobody.
    fileprivate func userName() throws(Problem) -> UserName {
        let text = path["userName"] ?? ""
        guard let name = UserName(text) else {
            throw Problem(.userNotFound, "no user has this name: one has \(UserName.expectation)")
        }
        return name
    }
}

/// A user as somebody wants one.
private struct UserDraft {
    let name: UserName
    let roles: UserRoles

    /// Reads `{"name", "roles"}`.
    ///
    /// - Throws: everything that is wrong, unknown members included.
    init(json: JSONValue) throws(DefinitionIssues) {
        var reader = FieldReader(body: json, "that describes a user")
        let name = reader.name("name").flatMap { UserName($0) }
        if name == nil { reader.report("name", "is required: \(UserName.expectation)") }
        let roles = reader.userRoles("roles")
        try reader.finish()
        guard let name, let roles else { throw DefinitionIssues(issues: []) }
        self.name = name
        self.roles = roles
    }
}
