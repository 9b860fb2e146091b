import Access
import AccessStore
import FlagCore
import FlagStore
import HTTPRouting
import HTTPTransport
import JSON

/// The access keys of DynamoDB's protocol.
enum AccessKeyRoutes {
    /// The routes.
    static let routes = [
        AdministrationRoute(.get, "/api/access-keys", "listAccessKeys", looking, list),
        AdministrationRoute(.post, "/api/access-keys", "createAccessKey", changing, create),
        AdministrationRoute(.get, "/api/access-keys/{accessKeyId}", "getAccessKey", looking, get),
        AdministrationRoute(.delete, "/api/access-keys/{accessKeyId}", "revokeAccessKey", changing, revoke),
    ]

    private static let looking = RoutePolicy("access-keys", .needsEverywhere(.administer)).with { $0.audit = .watched }
    private static let changing = looking.with {
        $0.audit = .change
        $0.wantsReason = true
    }

    private static func list(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let records = try administration.onKeys("access key") { () throws(KeyStoreError) in
            try administration.keys.accessKeys.load()
        }
        let sorted = records.sorted { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }
        return .respond(.json(["accessKeys": .array(sorted.map { .object($0.json) })]))
    }

    private static func create(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let draft = try request.draft { json throws(DefinitionIssues) in try AccessKeyDraft(json: json) }
        let (record, secret) = try administration.onKeys("access key") { () throws(KeyStoreError) in
            try administration.keys.accessKeys.create(
                draft.name, policy: draft.policy, rate: draft.rate, by: request.principal,
                at: administration.now())
        }
        var response: JSONObject = [
            "AccessKeyId": .string(record.id), "SecretAccessKey": .string(secret), "name": .string(record.name),
            "createdAt": .string(record.createdAt.rfc3339),
        ]
        if let rate = record.rate { response["rate"] = .string(rate.text) }
        if !draft.warnings.isEmpty { response["warnings"] = .array(draft.warnings.map { .string($0) }) }
        return .respond(
            .json(
                .object(response), status: .created,
                fields: [("Location", "/api/access-keys/\(record.id)"), ("Cache-Control", "no-store")]))
    }

    private static func get(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let record = try administration.onKeys("access key") { () throws(KeyStoreError) in
            try administration.keys.accessKeys.find(request.path["accessKeyId"] ?? "")
        }
        return .respond(.json(.object(record.json(withPolicy: true))))
    }

    private static func revoke(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let reason = try request.text("reason", .reason)
        let record = try administration.onKeys("access key") { () throws(KeyStoreError) in
            try administration.keys.accessKeys.revoke(
                request.path["accessKeyId"] ?? "", reason: reason, by: request.principal(because: reason),
                at: administration.now())
        }
        return .respond(.json(.object(record.json(withPolicy: true))))
    }
}

/// An access key as somebody wants it.
private struct AccessKeyDraft {
    let name: String
    /// The document, which can be read.
    let policy: JSONValue
    /// How often requests may be signed with it.
    let rate: RequestRate?
    /// What of it will never match.
    let warnings: [String]

    /// Reads `{"name", "policy", "rate"?}`.
    ///
    /// - Throws: everything that is wrong, unknown members included.
    init(json: JSONValue) throws(DefinitionIssues) {
        var reader = FieldReader(body: json, "that describes an access key")
        let name = reader.text("name", .actor, isRequired: true)
        let policy = reader.value("policy") ?? .null
        var warnings: [String] = []
        do throws(DefinitionIssues) {
            warnings = try AccessPolicy.read(policy, at: JSONPointer().appending("policy")).warnings
        } catch { reader.report(error.issues) }
        let frequency = reader.name("rate")
        let rate = frequency.flatMap { RequestRate($0) }
        if frequency != nil, rate == nil { reader.report("rate", "must be \(RequestRate.expectation)") }
        try reader.finish()
        self.rate = rate
        self.name = name ?? ""
        self.policy = policy
        self.warnings = warnings
    }
}

extension AccessKeyRecord {
    /// The key as it is shown in lists.
    fileprivate var json: JSONObject { json(withPolicy: false) }

    /// The key as it is shown.
    fileprivate func json(withPolicy: Bool) -> JSONObject {
        var object: JSONObject = [
            "AccessKeyId": .string(id), "name": .string(name), "createdAt": .string(createdAt.rfc3339),
            "createdBy": .string(createdBy), "state": .string(state.rawValue),
        ]
        if let rate { object["rate"] = .string(rate.text) }
        object["lastUsed"] = lastUsed.map { .string($0) } ?? .null
        if withPolicy { object["policy"] = (try? JSONValue(parsing: policy)) ?? .null }
        revocation?.add(to: &object)
        return object
    }
}
