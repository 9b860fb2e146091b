import Audit
import DynamoModel
import FlagCore
import JSON

/// What is told once for each principal and address, with how often it was: refusals, which anybody can cause as many
/// of as they like. Its memory is bounded; what there is no room for is told together.
struct AuditTally {
    private struct Key: Hashable {
        let action: AuditAction
        let principal: Principal
        let address: String
    }

    private struct Counted {
        var entry: AuditEntry
        var requests: [String]
        var omitted = 0
    }

    private var counted: [Key: Counted] = [:]

    /// How many are told apart at most.
    private static let keysMaximum = 1_000
    /// How many requests of each are named.
    private static let requestsMaximum = 5

    /// Counts an entry; its target's name is the request.
    mutating func add(_ entry: AuditEntry) {
        var key = Key(
            action: entry.action, principal: entry.principal, address: entry.principal.circumstances?.address ?? "")
        if counted[key] == nil, counted.count >= Self.keysMaximum {
            key = Key(action: entry.action, principal: Principal(.anonymous, "others"), address: "")
        }
        let request = entry.target.name ?? ""
        guard var known = counted[key] else {
            var first = entry
            first.count = 1
            first.target.name = nil
            if key.address.isEmpty, key.principal != entry.principal { first.principal = key.principal }
            counted[key] = Counted(entry: first, requests: [request])
            return
        }
        known.entry.count = (known.entry.count ?? 0) + (entry.count ?? 1)
        known.entry.until = entry.time
        if !known.requests.contains(request) {
            if known.requests.count < Self.requestsMaximum {
                known.requests.append(request)
            } else {
                known.omitted += 1
            }
        }
        counted[key] = known
    }

    /// What was counted since it was taken last, the earliest first.
    mutating func take() -> [AuditEntry] {
        defer { counted = [:] }
        return counted.values.map { known in
            var entry = known.entry
            var details: JSONObject = ["requests": .array(known.requests.map { .string($0) })]
            if known.omitted > 0 { details["others"] = .integer(known.omitted) }
            entry.details = details
            return entry
        }.sorted { $0.time < $1.time }
    }
}
