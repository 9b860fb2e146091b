import DynamoModel
import FlagCore
import JSON

extension AuditRecord {
    /// Why something that is stored in the place of a record is none.
    package struct Malformed: Error, Equatable {
        /// What is wrong with it.
        package let reason: String
    }

    /// Reads a record as it is stored. O(record).
    ///
    /// - Parameter mark: its mark.
    package init(stored bytes: [UInt8], mark: [UInt8]) throws(Malformed) {
        guard let object = (try? JSONValue(parsing: bytes))?.objectValue else {
            throw Malformed(reason: "is no JSON object")
        }
        guard let sequence = object["sequence"]?.numberValue?.int64 else { throw Malformed(reason: "has no sequence") }
        self.init(sequence: sequence, entry: try AuditEntry(object), mark: mark)
    }
}

extension AuditEntry {
    /// Reads what `stored` wrote.
    fileprivate init(_ object: JSONObject) throws(AuditRecord.Malformed) {
        func text(_ name: String) -> String? { object[name]?.stringValue }
        func time(_ name: String) -> Timestamp? { text(name).flatMap { Timestamp(rfc3339: $0) } }
        guard let time = time("time") else { throw AuditRecord.Malformed(reason: "has no time") }
        guard let action = text("action") else { throw AuditRecord.Malformed(reason: "has no action") }
        guard let outcome = text("outcome").flatMap(AuditOutcome.init(rawValue:)) else {
            throw AuditRecord.Malformed(reason: "has no outcome")
        }
        guard let who = object["principal"]?.objectValue,
            let kind = who["kind"]?.stringValue.flatMap(Principal.Kind.init(rawValue:))
        else { throw AuditRecord.Malformed(reason: "has no principal") }
        var circumstances = ChangeCircumstances(object)
        circumstances.proof = who["proof"]?.stringValue
        let principal = Principal(kind, who["id"]?.stringValue ?? "").with(circumstances)
        self.init(AuditAction(action), by: principal, at: time)
        self.outcome = outcome
        principalName = who["name"]?.stringValue
        if let target = object["target"]?.objectValue { self.target = AuditTarget(target) }
        environment = text("environment").flatMap(Environment.init(rawValue:))
        count = object["count"]?.numberValue?.int64.map { Int(clamping: $0) }
        until = text("until").flatMap { Timestamp(rfc3339: $0) }
        change = object["change"]?.numberValue?.int64
        if let after = AuditContent.Part(object, "after"), let undo = AuditContent.Part(object, "undo") {
            content = AuditContent(after: after, undo: undo)
        }
        details = object["details"]?.objectValue
    }
}
