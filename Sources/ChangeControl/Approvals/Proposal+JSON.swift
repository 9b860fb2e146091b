import FlagCore
import FlagStore
import JSON

extension Proposal {
    /// The proposal as it is shown.
    ///
    /// - Parameters:
    ///   - now: what it is is said for this instant.
    ///   - needed: how many others have to agree to it.
    ///   - content: what it is about in full; nil where that is not shown.
    ///   - changes: what was changed since it was made; nil for nothing, or where that is not shown.
    package func json(
        at now: Timestamp, needed: Int, _ content: ProposalContent? = nil, changedMeanwhile changes: JSONPatch? = nil
    ) -> JSONValue {
        var object: JSONObject = [
            "id": .string(id), "state": .string(state(at: now).rawValue),
            "environment": .string(environment.rawValue), "kind": .string(kind.rawValue),
        ]
        for (name, value) in subject.members { object[name] = .string(value) }
        if let reason { object["reason"] = .string(reason) }
        object["author"] = .string("\(author)")
        object["createdAt"] = .string(proposedAt.rfc3339)
        object["expiresAt"] = .string(expiresAt.rfc3339)
        object["approvalsNeeded"] = .integer(Int64(needed))
        object["approvals"] = .array(approvals.map { .object($0.shown) })
        object["comments"] = .array(
            comments.map { comment in
                var object = comment.act.shown
                object["text"] = .string(comment.text)
                return .object(object)
            })
        if let end {
            object["endedAt"] = .string(end.at.rfc3339)
            object["endedBy"] = end.by.map { .string("\($0)") }
            object["detail"] = end.detail.map { .string($0) }
        }
        object["version"] = version.map { .integer($0) }
        if let content {
            object["operation"] = content.change.operation.json
            object["difference"] = content.difference.json
        }
        object["changedMeanwhile"] = changes?.json
        return .object(object)
    }
}

extension Proposal.Act {
    fileprivate var shown: JSONObject { ["by": .string("\(by)"), "at": .string(at.rfc3339)] }
}

extension StoredThing {
    /// What names it.
    fileprivate var members: [(name: String, value: String)] {
        switch self {
        case .flag(let key): [("flagKey", key)]
        case .segment(let name): [("segment", name)]
        case .override(let flagKey, let tenant): [("flagKey", flagKey), ("tenantId", tenant)]
        case .killSwitch(let key): key.map { [("flagKey", $0)] } ?? []
        }
    }
}
