import FlagCore
import FlagStore
import JSON

/// What somebody wants to be done when.
package struct ScheduleDraft: Sendable {
    /// What is to be done.
    package var operation: FlagOperation
    /// When.
    package let at: Timestamp
    /// Where; nil where the body does not say.
    package let environment: Environment?
    /// Why; nil where the body does not say.
    package let reason: String?
    /// What becomes of it where something else has changed.
    package let onConflict: Schedule.ConflictRule

    /// How far ahead one may be: two years, in milliseconds.
    static let aheadMilliseconds: Int64 = 731 * 86_400_000
    /// How far back one may be, in milliseconds: clocks differ, and requests take their time.
    static let behindMilliseconds: Int64 = 5_000

    /// Wants an operation to be done at an instant.
    package init(
        _ operation: FlagOperation, at: Timestamp, environment: Environment? = nil, reason: String? = nil,
        onConflict: Schedule.ConflictRule = .refuse
    ) {
        self.operation = operation
        self.at = at
        self.environment = environment
        self.reason = reason
        self.onConflict = onConflict
    }

    /// Reads `{"at", "operation", "environment"?, "reason"?, "onConflict"?}`.
    ///
    /// - Parameter now: what `at` has to be after.
    /// - Throws: everything that is wrong.
    package init(json: JSONValue, at now: Timestamp) throws(DefinitionIssues) {
        var reader = FieldReader(body: json, "with at and operation")
        let at = reader.instant("at", isRequired: true, at: now)
        var environment: Environment?
        if let value = reader.value("environment") {
            environment = value.stringValue.flatMap { Environment(spelling: $0) }
            if environment == nil { reader.report("environment", "must be \(Environment.spellings)") }
        }
        let reason = reader.text("reason", .reason)
        let onConflict = reader.conflictRule("onConflict")
        var operation: FlagOperation?
        switch reader.value("operation") {
        case .object(let object)?:
            do throws(DefinitionIssues) { operation = try FlagOperation(requested: object) } catch {
                reader.report(error.issues)
            }
        case nil: reader.report("operation", "is required: \(FlagOperation.expectation)")
        default: reader.report("operation", "must be \(FlagOperation.expectation)")
        }
        try reader.finish()
        guard let operation, let at else { throw DefinitionIssues(issues: []) }
        self.init(
            operation, at: at, environment: environment, reason: reason, onConflict: onConflict ?? .refuse)
    }

    /// What is wrong with the time of a schedule; nil when nothing is.
    package static func complaint(about at: Timestamp, at now: Timestamp) -> String? {
        let ahead = at.millisecondsSinceEpoch - now.millisecondsSinceEpoch
        if ahead < -behindMilliseconds { return "must not be past: it is \(now) now" }
        if ahead > aheadMilliseconds { return "must be within two years: it is \(now) now" }
        return nil
    }
}

/// What somebody wants to be otherwise of a schedule.
package struct ScheduleEdit: Sendable {
    /// When; nil for when it is.
    package let at: Timestamp?
    /// Why; nil for the reason that it has.
    package let reason: String?
    /// What becomes of it where something else has changed; nil for what it says.
    package let onConflict: Schedule.ConflictRule?

    /// Reads `{"at"?, "reason"?, "onConflict"?}`.
    ///
    /// - Throws: everything that is wrong.
    package init(json: JSONValue, at now: Timestamp) throws(DefinitionIssues) {
        var reader = FieldReader(body: json, "with what is to change: at, reason, onConflict")
        at = reader.instant("at", isRequired: false, at: now)
        reason = reader.text("reason", .reason)
        onConflict = reader.conflictRule("onConflict")
        if json.objectValue?.isEmpty ?? false { reader.report("at", "or reason or onConflict is needed") }
        try reader.finish()
    }
}

extension FieldReader {
    /// The time of a schedule; nil when absent or wrong, which is noted.
    fileprivate mutating func instant(_ name: String, isRequired: Bool, at now: Timestamp) -> Timestamp? {
        guard value(name) != nil else {
            if isRequired { report(name, "is required: \(Timestamp.expectation)") }
            return nil
        }
        guard let at = time(name) else { return nil }
        if let complaint = ScheduleDraft.complaint(about: at, at: now) { report(name, complaint) }
        return at
    }

    fileprivate mutating func conflictRule(_ name: String) -> Schedule.ConflictRule? {
        guard let value = value(name) else { return nil }
        let rule = value.stringValue.flatMap(Schedule.ConflictRule.init(rawValue:))
        if rule == nil { report(name, "must be \(Schedule.ConflictRule.names)") }
        return rule
    }
}

extension FlagOperation {
    /// What an operation looks like, for messages.
    static let expectation =
        #"an object such as {"operation": "patchFlag", "name": "checkout", "body": {"defaultEnabled": true}}"#

    /// Reads an operation that somebody has written down, `{"operation", "name"?, "tenantId"?, "body"?, "reason"?,
    /// "expectedVersion"?}`, which lies at `/operation`.
    ///
    /// - Throws: everything that is wrong, by its place.
    init(requested object: JSONObject) throws(DefinitionIssues) {
        var reader = FieldReader(object, at: JSONPointer().appending("operation"))
        guard let kind = reader.value("operation")?.stringValue.flatMap(Kind.init(rawValue:)) else {
            let kinds = Kind.allCases.map(\.rawValue).joined(separator: ", ")
            throw DefinitionIssues(issues: [
                DefinitionIssue(pointer: "/operation/operation", message: "must be one of \(kinds)")
            ])
        }
        if let rule = kind.nameRule {
            _ = reader.text("name", rule, isRequired: true)
        } else if reader.value("name") != nil {
            reader.report("name", "has no meaning here: the body of \(kind.rawValue) names it")
        }
        if kind.isOfTenant {
            _ = reader.text("tenantId", .tenant, isRequired: true)
        } else if reader.value("tenantId") != nil {
            reader.report("tenantId", "has no meaning for \(kind.rawValue)")
        }
        let body = reader.value("body")
        if !kind.mayLackBody, body == nil { reader.report("body", "is required: what the request would send") }
        if !kind.takesBody, body != nil { reader.report("body", "has no meaning for \(kind.rawValue)") }
        _ = reader.text("reason", .reason)
        _ = reader.integer("expectedVersion", in: 0...Int(FlagLimits.version))
        try reader.finish()
        do throws(DefinitionIssues) { try self.init(json: .object(object)) } catch {
            throw DefinitionIssues(
                issues: error.issues.map {
                    DefinitionIssue(pointer: "/operation/body\($0.pointer)", message: $0.message)
                })
        }
    }
}
