import DynamoModel
import FlagCore
import JSON

/// What a record of the audit log says: who did what to what, when, where, why and how it ended.
///
/// It has no secrets, no tokens and no contexts of evaluations: whoever makes one picks what may be shown.
package struct AuditEntry: Sendable {
    /// When, by the wall clock. Records are ordered by their sequence.
    package var time: Timestamp
    /// What was done.
    package var action: AuditAction
    /// How it ended.
    package var outcome = AuditOutcome.done
    /// Who did it, and in what circumstances.
    package var principal: Principal
    /// What the principal is called by people, where that is another name than the one it goes by.
    package var principalName: String?
    /// To what.
    package var target = AuditTarget()
    /// Where; nil where that is no matter of one environment.
    package var environment: Environment?
    /// How often, for what is told together; nil for once.
    package var count: Int?
    /// When for the last time, for what is told together.
    package var until: Timestamp?
    /// The change's place in the change stream; nil for what is no change of an item.
    package var change: Int64?
    /// What the target became, and what it was.
    package var content: AuditContent?
    /// What else there is to say.
    package var details: JSONObject?

    /// An entry of what must be said of everything.
    package init(_ action: AuditAction, by principal: Principal, at time: Timestamp) {
        self.action = action
        self.principal = principal
        self.time = time
    }
}

/// What something was done to. Several members name one thing: an override has a flag and a tenant.
package struct AuditTarget: Sendable, Equatable {
    /// The key of a flag.
    package var flag: String?
    /// A tenant.
    package var tenant: String?
    /// The name of a segment.
    package var segment: String?
    /// What it is otherwise: `user`, `key`, `table`, `backup`, `route`.
    package var kind: String?
    /// Which one of these.
    package var name: String?

    /// Nothing in particular.
    package init() {}

    /// One of a kind.
    package init(_ kind: String, _ name: String? = nil) {
        self.kind = kind
        self.name = name
    }

    private static let members: [(name: String, path: any WritableKeyPath<AuditTarget, String?> & Sendable)] = [
        ("flag", \.flag), ("tenant", \.tenant), ("segment", \.segment), ("kind", \.kind), ("name", \.name),
    ]

    /// The members that it has.
    package var json: JSONObject {
        var object = JSONObject()
        for (name, path) in Self.members { object[name] = self[keyPath: path].map { .string($0) } }
        return object
    }

    /// Reads what `json` gave.
    package init(_ object: JSONObject) {
        for (name, path) in Self.members { self[keyPath: path] = object[name]?.stringValue }
    }
}

/// What something became by a change, with what makes of that again what it was: so most of it is told once.
package struct AuditContent: Sendable, Equatable {
    /// A part of it.
    package enum Part: Sendable, Equatable {
        case value(JSONValue)
        /// Too large to be kept: how many bytes of JSON text it has, and the digest of these.
        case omitted(bytes: Int, digest: String)
    }

    /// What is there afterwards; `null` for nothing.
    package let after: Part
    /// The patch (RFC 6902) that makes of it what was there before.
    package let undo: Part

    /// Bytes of either that are kept at most.
    package static let bytesMaximum = 64 * 1024

    /// Takes the parts as they are.
    package init(after: Part, undo: Part) {
        self.after = after
        self.undo = undo
    }

    /// A change from one value to another; `null` is for nothing. O(both).
    package init(from before: JSONValue, to after: JSONValue) {
        self.after = Part(bounded: after)
        undo = Part(bounded: JSONPatch(from: after, to: before).json)
    }

    /// What was there before; nil where that was not kept.
    package var before: JSONValue? {
        guard case .value(let after) = after, case .value(let undo) = undo, let patch = try? JSONPatch(json: undo)
        else { return nil }
        return try? patch.applied(to: after)
    }
}

extension AuditContent.Part {
    /// The value, unless it is too large.
    fileprivate init(bounded value: JSONValue) {
        let bytes = value.serializedBytes()
        self =
            bytes.count <= AuditContent.bytesMaximum
            ? .value(value) : .omitted(bytes: bytes.count, digest: AuditSeal.digest(of: bytes))
    }
}
