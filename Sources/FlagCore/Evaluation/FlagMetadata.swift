import JSON

/// A flag's metadata as answers show it, as JSON text.
struct FlagMetadata {
    /// The flag's own.
    private let own: [UInt8]
    /// The same with `"stale": true`, for a flag with a date.
    private let stale: [UInt8]

    /// The metadata of a flag whose own has these members.
    init(_ members: JSONObject, expiresAt: Timestamp?) {
        own = JSONValue.object(members).serializedBytes()
        guard expiresAt != nil else {
            stale = own
            return
        }
        var marked = members
        marked["stale"] = true
        stale = JSONValue.object(marked).serializedBytes()
    }

    /// The metadata as a JSON object.
    func json(isStale: Bool) -> [UInt8] { isStale ? stale : own }

    /// The same with the name of a kill switch. O(metadata): to be kept as long as the kill switch is on.
    func json(isStale: Bool, killSwitch: KillSwitchKind) -> [UInt8] {
        var members = (try? JSONValue(parsing: json(isStale: isStale)))?.objectValue ?? JSONObject()
        members["killSwitch"] = .string(killSwitch.rawValue)
        return JSONValue.object(members).serializedBytes()
    }
}
