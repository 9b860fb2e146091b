import DynamoModel
import FlagCore
import FlagStore
import JSON

/// A time in which an environment stays as it is.
package struct Freeze: Sendable, Equatable {
    /// What it goes by.
    package let id: String
    /// What stays as it is.
    package let environment: Environment
    /// The first instant that it holds for.
    package let from: Timestamp
    /// The first instant that it does not hold for any more, unless it is ended earlier.
    package let to: Timestamp
    /// Why.
    package let reason: String
    /// Who made it and when; nil for one that the configuration has.
    package var maker: Act?
    /// Who ended it early, and when; nil for nobody.
    package var end: Act?

    /// Something that somebody did.
    package struct Act: Sendable, Equatable {
        /// Who: the principal's description.
        package let by: String
        /// When.
        package let at: Timestamp
    }

    /// Whether it is yet to come, holds, or has ended.
    package enum State: String, Sendable, CaseIterable {
        case planned, active, ended
    }

    /// What it is at an instant.
    package func state(at now: Timestamp) -> State {
        if now >= endsAt { return .ended }
        return now < from ? .planned : .active
    }

    /// When it ends, or has ended.
    package var endsAt: Timestamp { end.map { min($0.at, to) } ?? to }

    /// What is wrong with the times of a freeze that somebody wants, and with which member; nil when nothing is.
    static func complaint(from: Timestamp, to: Timestamp) -> (member: String, message: String)? {
        guard to > from else { return ("to", "must be later than from (\(from))") }
        guard to.millisecondsSinceEpoch - from.millisecondsSinceEpoch <= longestMilliseconds else {
            return ("to", "must be at most 366 days after from (\(from)): what never changes again is archived")
        }
        return nil
    }

    private static let longestMilliseconds: Int64 = 366 * 86_400_000
}

extension Freeze {
    /// A freeze of the configuration.
    ///
    /// - Parameter number: its place there, from 1.
    package init(configured number: Int, _ draft: FreezeDraft) {
        self.init(
            id: "configured-\(number)", environment: draft.environment, from: draft.from, to: draft.to,
            reason: draft.reason)
    }

    /// The freezes of the configuration.
    static func configured(_ drafts: [FreezeDraft]) -> [Freeze] {
        drafts.enumerated().map { Freeze(configured: $0.offset + 1, $0.element) }
    }

    /// The freeze as the interface shows it.
    package func json(at now: Timestamp) -> JSONValue {
        var object: JSONObject = [
            "id": .string(id), "environment": .string(environment.rawValue), "from": .string(from.rfc3339),
            "to": .string(to.rfc3339), "reason": .string(reason), "state": .string(state(at: now).rawValue),
        ]
        if let maker {
            object["createdBy"] = .string(maker.by)
            object["createdAt"] = .string(maker.at.rfc3339)
        } else {
            object["configured"] = true
        }
        if let end {
            object["endedBy"] = .string(end.by)
            object["endedAt"] = .string(end.at.rfc3339)
        }
        return .object(object)
    }
}

/// A freeze as somebody wants it: the body of a request, or an entry of the configuration.
package struct FreezeDraft: Sendable, Equatable {
    /// What stays as it is.
    package let environment: Environment
    let from: Timestamp
    let to: Timestamp
    /// Why.
    package let reason: String

    /// Reads `{environment, from?, to, reason}`.
    ///
    /// - Parameters:
    ///   - now: when it begins that says nothing of it; nil where it has to.
    ///   - pointer: where it lies in what was sent.
    /// - Throws: everything that is wrong, unknown members included.
    package init(json: JSONValue, at now: Timestamp?, _ pointer: JSONPointer = JSONPointer()) throws(DefinitionIssues) {
        guard let object = json.objectValue else {
            throw DefinitionIssues(issues: [
                DefinitionIssue(
                    pointer: pointer.description, message: "must be an object with environment, from, to and reason")
            ])
        }
        var reader = FieldReader(object, at: pointer)
        let environment = reader.environment("environment")
        if environment == nil, reader.value("environment") == nil {
            reader.report("environment", "is required: \(Environment.spellings)")
        }
        let from = reader.time("from") ?? now
        if from == nil, reader.value("from") == nil { reader.report("from", "is required: \(Timestamp.expectation)") }
        let to = reader.time("to")
        if to == nil, reader.value("to") == nil { reader.report("to", "is required: \(Timestamp.expectation)") }
        let reason = reader.text("reason", .reason, isRequired: true)
        if let from, let to {
            if let fault = Freeze.complaint(from: from, to: to) {
                reader.report(fault.member, fault.message)
            } else if let now, to <= now {
                reader.report("to", "is past (it is \(now)): it would never hold")
            }
        }
        try reader.finish()
        guard let environment, let from, let to, let reason else { throw DefinitionIssues(issues: []) }
        self.environment = environment
        self.from = from
        self.to = to
        self.reason = reason
    }
}
