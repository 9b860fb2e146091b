import DynamoModel
import FlagCore
import FlagStore
import JSON

/// A change of flags that is to be made at an instant: a value. Each step makes the next version of it.
package struct Schedule: Sendable {
    /// What becomes of it where its flag or segment was changed since it was scheduled.
    package enum ConflictRule: String, Sendable, CaseIterable {
        /// It is not applied.
        case refuse
        /// It is applied to whatever is there.
        case force

        /// All of them, for people.
        package static let names = allCases.map(\.rawValue).joined(separator: " or ")
    }

    /// What has become of it.
    package enum State: String, Sendable, CaseIterable {
        /// Its time has not come.
        case waiting
        /// It was begun, and takes several transactions: after a stop it goes on.
        case applying
        /// It was applied.
        case applied
        /// Its time came, and it could not be applied: `detail` says why.
        case refused
        /// Its time had passed too long ago when it could have been applied.
        case skipped
        /// Somebody has taken it back.
        case cancelled

        /// Whether nothing comes of it any more.
        package var isEnded: Bool { self != .waiting && self != .applying }
    }

    /// Who last changed when or how it is applied.
    package struct Edit: Sendable, Equatable {
        package let at: Timestamp
        package let by: Principal
    }

    /// How it ended.
    package struct End: Sendable, Equatable {
        /// When that was.
        package let at: Timestamp
        /// Why, in a sentence for people.
        package let detail: String?
        /// Who ended it, of one that was taken back.
        package let by: Principal?
    }

    /// Its name.
    package let id: String
    /// What is to be done, where, by whom and why.
    package private(set) var change: PlannedChange
    /// When.
    package private(set) var at: Timestamp
    /// What becomes of it where something else has changed.
    package private(set) var onConflict: ConflictRule
    /// What has become of it.
    package private(set) var state = State.waiting
    /// 1 when it was made, one more with every step.
    package private(set) var version: Int64 = 1
    /// Who last changed it; nil for nobody.
    package private(set) var edit: Edit?
    /// How it ended; nil while it has not.
    package private(set) var end: End?

    /// How much later than its time one may be applied and not be called late, in milliseconds.
    static let punctualMilliseconds: Int64 = 1_000

    /// One that waits.
    package init(_ change: PlannedChange, at: Timestamp, onConflict: ConflictRule, id: String) {
        self.id = id
        self.change = change
        self.at = at
        self.onConflict = onConflict
    }

    /// Why, as its author said.
    package var reason: String? { change.author.circumstances?.reason ?? change.operation.reason }

    /// Whether it was applied later than it should have been.
    package var isLate: Bool {
        guard state == .applied, let end else { return false }
        return end.at.millisecondsSinceEpoch - at.millisecondsSinceEpoch > Self.punctualMilliseconds
    }

    /// What it is, for people: `patchFlag of the flag checkout in production`.
    package var summary: String {
        "\(change.operation.kind.rawValue) of the \(change.operation.subject) in \(change.environment.rawValue)"
    }
}

// MARK: - Steps

extension Schedule {
    /// The same with other terms.
    ///
    /// - Parameters:
    ///   - change: what is to be done, with the version that is expected now.
    ///   - editor: who wants it so.
    package func rescheduled(
        _ change: PlannedChange, at: Timestamp, onConflict: ConflictRule, by editor: Principal, now: Timestamp
    ) -> Schedule {
        var next = self
        next.change = change
        next.at = at
        next.onConflict = onConflict
        next.edit = Edit(at: now, by: editor)
        next.version += 1
        return next
    }

    /// The same, begun.
    func begun() -> Schedule {
        var next = self
        next.state = .applying
        next.version += 1
        return next
    }

    /// The same, ended.
    ///
    /// - Parameters:
    ///   - state: how.
    ///   - detail: why.
    ///   - principal: who ended it, of one that is taken back.
    package func ended(
        _ state: State, at now: Timestamp, because detail: String? = nil, by principal: Principal? = nil
    ) -> Schedule {
        var next = self
        next.state = state
        next.end = End(at: now, detail: detail, by: principal)
        next.version += 1
        return next
    }
}

// MARK: - As JSON

extension Schedule {
    /// The schedule as it is shown.
    package var json: JSONValue {
        var object: JSONObject = [
            "id": .string(id), "state": .string(state.rawValue), "at": .string(at.rfc3339),
            "environment": .string(change.environment.rawValue), "operation": change.operation.json,
            "onConflict": .string(onConflict.rawValue),
        ]
        if let reason { object["reason"] = .string(reason) }
        object["createdAt"] = .string(change.plannedAt.rfc3339)
        object["createdBy"] = .string("\(change.author)")
        if let edit {
            object["updatedAt"] = .string(edit.at.rfc3339)
            object["updatedBy"] = .string("\(edit.by)")
        }
        if let end {
            object["endedAt"] = .string(end.at.rfc3339)
            if state == .applied { object["late"] = .bool(isLate) }
            if let by = end.by { object["endedBy"] = .string("\(by)") }
            if let detail = end.detail { object["detail"] = .string(detail) }
        }
        object["version"] = .integer(version)
        return .object(object)
    }

    /// The tag of this version: it is raised with every step, and no name is given twice.
    package var entityTag: String { "\"\(id)-\(version)\"" }

    /// The schedule as it is stored.
    var record: JSONObject {
        var object: JSONObject = [
            "change": .object(change.json), "at": .string(at.rfc3339), "onConflict": .string(onConflict.rawValue),
            "state": .string(state.rawValue), "version": .integer(version),
        ]
        if let edit {
            object["edit"] = ["at": .string(edit.at.rfc3339), "by": .string(edit.by.record)]
        }
        if let end {
            var ended: JSONObject = ["at": .string(end.at.rfc3339)]
            ended["detail"] = end.detail.map { .string($0) }
            ended["by"] = end.by.map { .string($0.record) }
            object["end"] = .object(ended)
        }
        return object
    }

    /// Reads what `record` wrote; nil when it is something else.
    init?(_ record: JSONObject, id: String) {
        func time(_ value: JSONValue?) -> Timestamp? { value?.stringValue.flatMap { Timestamp(rfc3339: $0) } }
        func principal(_ value: JSONValue?) -> Principal? { value?.stringValue.map { Principal(record: $0) } }
        guard let change = record["change"]?.objectValue.flatMap({ PlannedChange($0) }), let at = time(record["at"]),
            let onConflict = record["onConflict"]?.stringValue.flatMap(ConflictRule.init(rawValue:)),
            let state = record["state"]?.stringValue.flatMap(State.init(rawValue:)),
            let version = record["version"]?.numberValue?.int64
        else { return nil }
        self.init(change, at: at, onConflict: onConflict, id: id)
        self.state = state
        self.version = version
        if let edit = record["edit"], let at = time(edit["at"]), let by = principal(edit["by"]) {
            self.edit = Edit(at: at, by: by)
        }
        if let end = record["end"], let at = time(end["at"]) {
            self.end = End(at: at, detail: end["detail"]?.stringValue, by: principal(end["by"]))
        }
        // One that has ended says when.
        guard self.end != nil || !state.isEnded else { return nil }
    }
}
