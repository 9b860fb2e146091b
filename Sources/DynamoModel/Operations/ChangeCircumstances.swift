import JSON

/// What is known of how a change came about, beside who made it: for whoever wants to know later.
package struct ChangeCircumstances: Sendable, Hashable {
    /// Why, as whoever made it said.
    package var reason: String?
    /// The request that asked for it.
    package var requestID: String?
    /// The address that the request came from, behind the proxies that are trusted.
    package var address: String?
    /// What the program called itself that sent it; a bounded part.
    package var userAgent: String?
    /// By what the principal proved who they are: `key`, `token`, `session`, `signature`, `user of this machine`.
    package var proof: String?
    /// For whom it was made, where that is somebody else: the principal's description.
    package var onBehalfOf: String?
    /// Through what it was made, where that was no request of its own: `schedule 01J…`, `proposal 01J…`.
    package var cause: String?

    /// Nothing is known.
    package init() {}

    /// Bytes that are kept of what a program calls itself.
    package static let userAgentBytes = 256
}

extension ChangeCircumstances {
    private static let members: [(name: String, path: any WritableKeyPath<ChangeCircumstances, String?> & Sendable)] = [
        ("reason", \.reason), ("requestId", \.requestID), ("address", \.address), ("userAgent", \.userAgent),
        ("proof", \.proof), ("onBehalfOf", \.onBehalfOf), ("cause", \.cause),
    ]

    /// What is known, by name.
    package var json: JSONObject {
        var object = JSONObject()
        for (name, path) in Self.members { object[name] = self[keyPath: path].map { .string($0) } }
        return object
    }

    /// Reads what `json` gave; what else there is, is passed over.
    package init(_ object: JSONObject) {
        for (name, path) in Self.members { self[keyPath: path] = object[name]?.stringValue }
    }
}

extension Principal {
    /// The principal as the change stream keeps it: its description and, on a line of its own, the circumstances.
    package var record: String {
        guard let circumstances else { return description }
        return "\(description)\n\(JSONValue.object(circumstances.json).serialized())"
    }

    /// Reads what `record` wrote.
    package init(record: String) {
        // The circumstances are one line of JSON, which has no line ends: whatever a name contains is before the last.
        guard record.hasSuffix("}"), let end = record.utf8.lastIndex(of: UInt8(ascii: "\n")),
            let json = try? JSONValue(parsing: String(record[record.utf8.index(after: end)...])),
            let members = json.objectValue
        else {
            self.init(description: record)
            return
        }
        self = Principal(description: String(record[..<end])).with(ChangeCircumstances(members))
    }
}
