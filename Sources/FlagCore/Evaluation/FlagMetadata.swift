import JSON

/// A flag's metadata as answers show it, as JSON text.
struct FlagMetadata {
    /// What always stands there, in the flag's memory.
    private let own: UnsafeRawBufferPointer
    /// The same with `"stale": true`; nil for a flag without a date.
    private let stale: [UInt8]?

    /// What answers show whatever the time is: a flag's own members, and whether it may be evaluated with a key that
    /// lies in a browser or an app. That follows from the flag alone, so a member of its own cannot claim it.
    static func members(_ own: JSONObject, isClientSide: Bool) -> JSONObject {
        var members = own
        members["clientSide"] = isClientSide ? true : nil
        return members
    }

    /// The metadata of a flag whose answers always have these members, in this text.
    init(_ members: JSONObject, _ own: UnsafeRawBufferPointer, expiresAt: Timestamp?) {
        self.own = own
        guard expiresAt != nil else {
            stale = nil
            return
        }
        var marked = members
        marked["stale"] = true
        stale = JSONValue.object(marked).serializedBytes()
    }

    /// The metadata of a flag past its date as a JSON object; nil where it is the flag's own.
    func json(isStale: Bool) -> [UInt8]? { isStale ? stale : nil }

    /// The same with the name of a kill switch. O(metadata): to be kept as long as the kill switch is on.
    func json(isStale: Bool, killSwitch: KillSwitchKind) -> [UInt8] {
        var members = (try? JSONValue(parsing: json(isStale: isStale) ?? Array(own)))?.objectValue ?? JSONObject()
        members["killSwitch"] = .string(killSwitch.rawValue)
        return JSONValue.object(members).serializedBytes()
    }
}
