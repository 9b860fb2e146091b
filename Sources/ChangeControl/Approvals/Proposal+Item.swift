import DynamoModel
import FlagCore
import FlagStore
import JSON

extension Proposal {
    static let stateName: AttributeName = "state"
    static let revisionName: AttributeName = "revision"
    static let expiryName: AttributeName = "expiresAt"
    private static let documentName: AttributeName = "document"

    /// The key of the item of an identifier.
    static func key(_ id: String, in environment: Environment) -> TableKey {
        TableKey(.string(ChangeControlTable.proposals(environment)), .string(id))
    }

    /// The proposal as an item, without what is to be done.
    var item: Item {
        [
            ChangeControlTable.partition: .string(ChangeControlTable.proposals(environment)),
            ChangeControlTable.sort: .string(id), Self.stateName: .string(state.rawValue),
            Self.revisionName: .number(revision), Self.expiryName: .string(expiresAt.rfc3339),
            Self.documentName: .string(JSONValue.object(document).serialized()),
        ]
    }

    private var document: JSONObject {
        var object: JSONObject = [
            "kind": .string(kind.rawValue), "subject": subject.json, "environment": .string(environment.rawValue),
            "author": .string(author.record), "proposedAt": .string(proposedAt.rfc3339),
            "approvals": .array(approvals.map { .object($0.json) }),
            "comments": .array(
                comments.map { comment in
                    var object = comment.act.json
                    object["text"] = .string(comment.text)
                    return .object(object)
                }),
        ]
        object["version"] = version.map { .integer($0) }
        if let end {
            var ended: JSONObject = ["at": .string(end.at.rfc3339)]
            ended["by"] = end.by.map { .string($0.record) }
            ended["detail"] = end.detail.map { .string($0) }
            object["end"] = .object(ended)
        }
        return object
    }

    /// Reads what `item` wrote; nil when it is something else.
    init?(item: Item) {
        guard let id = item[ChangeControlTable.sort]?.stringValue,
            let state = item[Self.stateName]?.stringValue.flatMap(State.init(rawValue:)),
            let revision = item[Self.revisionName]?.int64Value, let expiresAt = Self.time(item[Self.expiryName]),
            let text = item[Self.documentName]?.stringValue, let json = try? JSONValue(parsing: text),
            let kind = json["kind"]?.stringValue.flatMap(FlagOperation.Kind.init(rawValue:)),
            let subject = json["subject"].flatMap(StoredThing.init(json:)),
            let environment = json["environment"]?.stringValue.flatMap(Environment.init(rawValue:)),
            let author = Self.principal(json["author"]), let proposedAt = Self.time(json["proposedAt"])
        else { return nil }
        let proposal = Proposal(
            id: id, kind: kind, subject: subject, environment: environment, author: author, proposedAt: proposedAt,
            expiresAt: expiresAt, version: json["version"]?.numberValue?.int64)
        let end = json["end"].flatMap { end in
            Self.time(end["at"]).map { time in
                End(at: time, by: Self.principal(end["by"]), detail: end["detail"]?.stringValue)
            }
        }
        self = proposal.restored(
            state, revision: revision, approvals: (json["approvals"]?.arrayValue ?? []).compactMap(Act.init(json:)),
            comments: (json["comments"]?.arrayValue ?? []).compactMap { comment in
                guard let act = Act(json: comment), let text = comment["text"]?.stringValue else { return nil }
                return Comment(act: act, text: text)
            }, end: end)
    }

    private static func time(_ value: AttributeValue?) -> Timestamp? {
        value?.stringValue.flatMap { Timestamp(rfc3339: $0) }
    }

    fileprivate static func time(_ value: JSONValue?) -> Timestamp? {
        value?.stringValue.flatMap { Timestamp(rfc3339: $0) }
    }

    fileprivate static func principal(_ value: JSONValue?) -> Principal? {
        value?.stringValue.map { Principal(record: $0) }
    }
}

extension Proposal.Act {
    fileprivate var json: JSONObject { ["by": .string(by.record), "at": .string(at.rfc3339)] }

    fileprivate init?(json: JSONValue) {
        guard let by = Proposal.principal(json["by"]), let at = Proposal.time(json["at"]) else { return nil }
        self.init(by: by, at: at)
    }
}

extension StoredThing {
    /// As it is stored.
    fileprivate var json: JSONValue {
        switch self {
        case .flag(let key): ["flag": .string(key)]
        case .segment(let name): ["segment": .string(name)]
        case .override(let flagKey, let tenant): ["flag": .string(flagKey), "tenant": .string(tenant)]
        case .killSwitch(let key): ["killSwitch": key.map { .string($0) } ?? .null]
        }
    }

    /// Reads what `json` wrote.
    fileprivate init?(json: JSONValue) {
        switch (json["flag"]?.stringValue, json["tenant"]?.stringValue, json["segment"]?.stringValue) {
        case (let key?, nil, nil): self = .flag(key)
        case (let key?, let tenant?, nil): self = .override(flagKey: key, tenant: tenant)
        case (nil, nil, let name?): self = .segment(name)
        default:
            guard let key = json["killSwitch"] else { return nil }
            self = .killSwitch(flagKey: key.stringValue)
        }
    }
}
