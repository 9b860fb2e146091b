import DynamoModel
import FlagCore
import JSON

/// A record of the audit log: an entry with its place in the chain.
package struct AuditRecord: Sendable {
    /// Its place: one more than the record before it has.
    package let sequence: Int64
    /// What it says.
    package let entry: AuditEntry
    /// Its mark in the chain.
    package let mark: [UInt8]

    /// Takes the parts as they are.
    package init(sequence: Int64, entry: AuditEntry, mark: [UInt8]) {
        self.sequence = sequence
        self.entry = entry
        self.mark = mark
    }

    /// The record as people and programs are shown it: with what was there before, and the differences as a patch
    /// (RFC 6902). O(record).
    package var json: JSONValue {
        var object = JSONObject()
        object["sequence"] = .integer(sequence)
        entry.addHead(to: &object)
        if let content = entry.content {
            let before = content.before
            if let before { object["before"] = before }
            content.after.add(to: &object, as: "after")
            if let before, case .value(let after) = content.after {
                object["changes"] = JSONPatch(from: before, to: after).json
            } else {
                content.undo.add(to: &object, as: "undo")
            }
        }
        object["details"] = entry.details.map { .object($0) }
        object["mark"] = .string(AuditSeal.text(mark))
        return .object(object)
    }
}

extension AuditEntry {
    /// The entry as it is stored and chained: JSON, its members in a fixed order. O(entry).
    ///
    /// - Parameter sequence: the place that it takes.
    package func stored(as sequence: Int64) -> [UInt8] {
        var object = JSONObject()
        object["sequence"] = .integer(sequence)
        addHead(to: &object)
        object["change"] = change.map { .integer($0) }
        content?.after.add(to: &object, as: "after")
        content?.undo.add(to: &object, as: "undo")
        object["details"] = details.map { .object($0) }
        return JSONValue.object(object).serializedBytes()
    }

    /// Everything but content, place and details.
    fileprivate func addHead(to object: inout JSONObject) {
        object["time"] = .string(time.rfc3339)
        object["action"] = .string(action.name)
        object["outcome"] = .string(outcome.rawValue)
        let circumstances = principal.circumstances
        var who: JSONObject = ["kind": .string(principal.kind.rawValue)]
        if !principal.name.isEmpty { who["id"] = .string(principal.name) }
        who["name"] = principalName.map { .string($0) }
        who["proof"] = circumstances?.proof.map { .string($0) }
        object["principal"] = .object(who)
        object["onBehalfOf"] = circumstances?.onBehalfOf.map { .string($0) }
        object["cause"] = circumstances?.cause.map { .string($0) }
        object["target"] = .object(target.json)
        object["environment"] = environment.map { .string($0.rawValue) }
        object["reason"] = circumstances?.reason.map { .string($0) }
        object["requestId"] = circumstances?.requestID.map { .string($0) }
        object["address"] = circumstances?.address.map { .string($0) }
        object["userAgent"] = circumstances?.userAgent.map { .string($0) }
        object["count"] = count.map { .integer($0) }
        object["until"] = until.map { .string($0.rfc3339) }
    }
}

extension AuditContent.Part {
    /// Adds it as a member; one that was omitted as its size and digest, under a name that says so.
    fileprivate func add(to object: inout JSONObject, as name: String) {
        switch self {
        case .value(let value): object[name] = value
        case .omitted(let bytes, let digest):
            object["\(name)Omitted"] = ["bytes": .integer(bytes), "sha256": .string(digest)]
        }
    }

    /// Reads what `add` added; nil when there is neither.
    init?(_ object: JSONObject, _ name: String) {
        if let value = object[name] {
            self = .value(value)
            return
        }
        guard let omitted = object["\(name)Omitted"], let bytes = omitted["bytes"]?.numberValue?.int64,
            let digest = omitted["sha256"]?.stringValue
        else { return nil }
        self = .omitted(bytes: Int(clamping: bytes), digest: digest)
    }
}
