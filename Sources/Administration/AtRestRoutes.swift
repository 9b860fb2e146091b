import Access
import DynamoModel
import FlagStore
import HTTPRouting
import HTTPTransport
import JSON

/// The encryption of what is stored: how it stands, and another data key.
enum AtRestRoutes {
    /// The routes.
    static let routes = [
        AdministrationRoute(.get, "/api/at-rest", "getEncryptionAtRest", looking, state),
        AdministrationRoute(.post, "/api/at-rest/rotate", "rotateDataKey", changing.inLongWork, rotate),
    ]

    private static let looking = RoutePolicy("at-rest", .needsEverywhere(.administer))
    private static let changing = looking.with { $0.audit = .change }

    private static func state(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        .respond(.json(try administration.onTables { try $0.tables.encryption().json }))
    }

    private static func rotate(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let result = try administration.onTables { tables -> JSONValue in
            if try tables.tables.encryption().isUnderWay { throw Problem.rotationUnderWay }
            let isNew = try tables.tables.rotateDataKey()
            let state = try tables.tables.encryption()
            guard state.key != nil else { throw Problem.notEncrypted }
            var counts = (done: 0, unread: 0)
            if state.left != nil {
                let work = Administration.encryptingAnew
                counts = try administration.work.run(work, for: request.workClient) { progress in
                    let unread = try tables.encryptAnew(progress)
                    return (progress.counts.done, unread)
                }
            }
            var json = try tables.tables.encryption().json.objectValue ?? JSONObject()
            json["rotated"] = .bool(isNew)
            json["done"] = .integer(Int64(counts.done))
            json["unreadable"] = .integer(Int64(counts.unread))
            return .object(json)
        }
        return .respond(.json(result))
    }
}

extension Administration {
    /// What the work is called in lists.
    package static let encryptingAnew = "encryption of what is stored"
}

extension Problem {
    fileprivate static let notEncrypted = Problem(
        .encryptionOff,
        "nothing is encrypted: name the file of a key in at-rest.key, and start the server again; from then on it "
            + "encrypts what it writes, and what is stored")

    fileprivate static let rotationUnderWay = Problem(
        .rotationUnderWay,
        "what is stored is being encrypted anew: `flag-server at-rest status` says how far it is, `flag-server work "
            + "list` by whom")
}

extension EncryptionState {
    /// The state as it is shown.
    var json: JSONValue {
        [
            "enabled": .bool(dataKey != nil), "key": key.map { .string($0) } ?? .null,
            "dataKey": dataKey.map { .string($0) } ?? .null, "dataKeys": .integer(Int64(dataKeyCount)),
            "left": left.map { .integer(Int64($0)) } ?? .null, "underWay": .bool(isUnderWay),
            "plainRemnants": .bool(mayHavePlain),
        ]
    }
}
