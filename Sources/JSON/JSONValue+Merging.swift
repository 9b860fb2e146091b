extension JSONValue {
    /// The value after a merge patch (RFC 7396 section 2): an object is merged into this, anything else replaces it.
    package func merged(with patch: JSONValue) -> JSONValue {
        guard case .object(let changes) = patch else { return patch }
        return .object((objectValue ?? JSONObject()).merged(with: changes))
    }
}

extension JSONObject {
    /// The object after a merge patch (RFC 7396 section 2): null takes a member away, an object is merged into the
    /// member's own, anything else replaces it. What is new comes last. O(both).
    package func merged(with patch: JSONObject) -> JSONObject {
        var merged: [Member] = []
        merged.reserveCapacity(count + patch.count)
        for (name, value) in members {
            switch patch[name] {
            case nil: merged.append((name, value))
            case .null?: break
            case let change?: merged.append((name, value.merged(with: change)))
            }
        }
        for (name, change) in patch.members where !change.isNull && self[name] == nil {
            // Merged into nothing, so that no null is left of an object's own.
            merged.append((name, JSONValue.null.merged(with: change)))
        }
        return JSONObject(distinct: merged)
    }
}
