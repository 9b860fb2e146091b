import Access
import AccessStore
import FlagCore
import FlagStore
import HTTPRouting
import HTTPTransport
import JSON

/// The keys that callers come in by, and what a caller may.
enum KeyRoutes {
    /// The routes.
    static let routes = [
        AdministrationRoute(.get, "/api/keys", "listKeys", looking, list),
        AdministrationRoute(.post, "/api/keys", "createKey", changing, create),
        AdministrationRoute(.get, "/api/keys/{selector}", "getKey", looking, get),
        AdministrationRoute(.delete, "/api/keys/{selector}", "revokeKey", changing, revoke),
        AdministrationRoute(.post, "/api/keys/{selector}/rotate", "rotateKey", changing, rotate),
        AdministrationRoute(.get, "/api/whoami", "whoAmI", RoutePolicy("keys", .anyCaller), whoAmI),
    ]

    private static let looking = RoutePolicy("keys", .needsEverywhere(.administer)).with { $0.audit = .watched }
    private static let changing = looking.with {
        $0.audit = .change
        $0.wantsReason = true
    }

    private static func list(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let records = try administration.onKeys("key") { () throws(KeyStoreError) in try administration.keys.load() }
            .values
        let sorted = records.sorted { ($0.createdAt, $0.selector) < ($1.createdAt, $1.selector) }
        return .respond(.json(["keys": .array(sorted.map { $0.json(at: administration.now()) })]))
    }

    private static func create(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let draft = try request.draft { json throws(DefinitionIssues) in try KeyDraft(json: json) }
        let now = administration.now()
        let (record, text) = try administration.onKeys("key") { () throws(KeyStoreError) in
            try administration.keys.create(draft, by: request.principal, at: now)
        }
        return .respond(
            .json(
                record.json(at: now, with: text), status: .created,
                fields: [("Location", "/api/keys/\(record.selector)"), ("Cache-Control", "no-store")]))
    }

    private static func get(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let record = try administration.onKeys("key") { () throws(KeyStoreError) in
            try administration.keys.find(request.selector)
        }
        return .respond(.json(record.json(at: administration.now())))
    }

    private static func revoke(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let reason = try request.text("reason", .reason)
        let now = administration.now()
        let record = try administration.onKeys("key") { () throws(KeyStoreError) in
            try administration.keys.revoke(
                request.selector, reason: reason, by: request.principal(because: reason), at: now)
        }
        return .respond(.json(record.json(at: now)))
    }

    private static func rotate(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let overlap =
            try request.body.isEmpty
            ? KeyLifetime.overlap : request.draft { json throws(DefinitionIssues) in try KeyLifetime(overlap: json) }
        let now = administration.now()
        let (record, text) = try administration.onKeys("key") { () throws(KeyStoreError) in
            try administration.keys.rotate(
                request.selector, overlapMilliseconds: overlap.milliseconds ?? 0,
                by: request.principal, at: now)
        }
        return .respond(.json(record.json(at: now, with: text), fields: [("Cache-Control", "no-store")]))
    }

    private static func whoAmI(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let caller = request.caller
        var environments = JSONObject()
        for environment in Environment.allCases where !caller.permissions(in: environment).isEmpty {
            environments[environment.rawValue] = .array(caller.permissions(in: environment).words.map { .string($0) })
        }
        return .respond(
            .json([
                "principal": .string("\(caller.principal)"), "environments": .object(environments),
                "tenantId": caller.tenant.map { .string($0) } ?? .null,
                "clientSideOnly": .bool(caller.seesClientSideOnly),
            ]))
    }
}

extension AdministrationRequest {
    /// The key's selector in the path, also of somebody who has the whole key at hand.
    fileprivate var selector: String {
        let text = path["selector"] ?? ""
        let key = Array(text.utf8).withUnsafeBytes { KeyText($0) }
        return key?.selector ?? (text.hasPrefix(KeyText.prefix) ? "of this text" : text)
    }
}

extension KeyDraft {
    /// Reads `{"name", "kind", "environment", "roles"?, "tenantId"?, "expires"?}`.
    ///
    /// - Throws: everything that is wrong, unknown members included.
    init(json: JSONValue) throws(DefinitionIssues) {
        var reader = FieldReader(body: json, "that describes a key")
        let name = reader.text("name", .actor, isRequired: true)
        if name?.contains(KeyText.prefix) ?? false { reader.report("name", "must not be a key: it is in every list") }
        let kinds = KeyKind.allCases.map(\.rawValue).joined(separator: ", ")
        let kind = reader.name("kind").flatMap(KeyKind.init(rawValue:))
        if kind == nil { reader.report("kind", "is required: one of \(kinds)") }
        let place = reader.name("environment")
        let environment = place.flatMap { Environment(spelling: $0) }
        if environment == nil, place != "*" {
            reader.report("environment", "is required: \(Environment.spellings), or * for all")
        }
        let roles = reader.roles("roles")
        let tenant = reader.text("tenantId", .tenant)
        let frequency = reader.name("rate")
        let rate = frequency.flatMap { RequestRate($0) }
        if frequency != nil, rate == nil { reader.report("rate", "must be \(RequestRate.expectation)") }
        let expires = reader.name("expires")
        let lifetime = expires.map { KeyLifetime($0) } ?? .standard
        if lifetime == nil { reader.report("expires", KeyLifetime.expectation) }
        let draft = KeyDraft(
            kind: kind ?? .server, name: name ?? "", environment: environment, roles: roles, tenantID: tenant,
            lifetime: lifetime ?? .standard, rate: rate)
        if kind != nil, let fault = draft.fault { reader.report(fault.member, fault.detail) }
        try reader.finish()
        self = draft
    }
}

extension KeyLifetime {
    /// How long the secret before stays good where nothing else is said.
    static let overlap = KeyLifetime.hours(24)

    /// Reads `{"overlap"?}`.
    fileprivate init(overlap json: JSONValue) throws(DefinitionIssues) {
        var reader = FieldReader(body: json, "such as {\"overlap\": \"24h\"}")
        let text = reader.name("overlap")
        let overlap = text == "0h" ? .hours(0) : text.map { KeyLifetime($0) } ?? KeyLifetime.overlap
        if overlap == nil || overlap == .forever {
            reader.report("overlap", "must be hours or days, as in 24h; 0h ends it at once")
        }
        try reader.finish()
        self = overlap ?? .overlap
    }
}

extension FieldReader {
    /// Roles by their names; none when absent or wrong, which is noted.
    fileprivate mutating func roles(_ name: String) -> [Role] {
        switch value(name) {
        case nil: return []
        case .array(let values)?:
            let roles = values.compactMap { $0.stringValue.flatMap(Role.init(rawValue:)) }
            if roles.count == values.count, Set(roles).count == roles.count { return roles }
        default: break
        }
        report(name, "must be a list of different ones of \(Role.names)")
        return []
    }
}

extension KeyRecord {
    /// The key as it is shown.
    ///
    /// - Parameters:
    ///   - now: decides whether it is good.
    ///   - text: the key itself, in the one response that has it.
    func json(at now: Timestamp, with text: KeyText? = nil) -> JSONValue {
        var object = JSONObject()
        object["selector"] = .string(selector)
        object["key"] = text.map { .string($0.text) }
        object["kind"] = .string(kind.rawValue)
        object["name"] = .string(name)
        object["environment"] = .string(environment?.rawValue ?? "*")
        object["roles"] = .array(roles.map { .string($0.rawValue) })
        object["tenantId"] = tenantID.map { .string($0) } ?? .null
        if let rate { object["rate"] = .string(rate.text) }
        object["expiresAt"] = expiresAt.map { .string($0.rfc3339) } ?? .null
        guard text == nil else { return .object(object) }
        object["createdAt"] = .string(createdAt.rfc3339)
        object["createdBy"] = .string(createdBy)
        if let end = secrets.compactMap(\.until).max(), end > now {
            object["formerSecretUntil"] = .string(end.rfc3339)
        }
        object["lastUsed"] = lastUsed.map { .string($0) } ?? .null
        object["state"] = .string(state(at: now).rawValue)
        revocation?.add(to: &object)
        return .object(object)
    }
}
