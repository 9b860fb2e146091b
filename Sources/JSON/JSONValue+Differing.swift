extension JSONValue {
    /// The names of members that two objects do not have alike, in the order of the first, then of the second.
    package static func differingMembers(
        _ left: JSONValue, _ right: JSONValue, except ignored: Set<String>
    ) -> [String] {
        let leftMembers = left.objectValue ?? JSONObject()
        let rightMembers = right.objectValue ?? JSONObject()
        let added = rightMembers.keys.filter { leftMembers[$0] == nil }
        return (leftMembers.keys + added).filter { !ignored.contains($0) && leftMembers[$0] != rightMembers[$0] }
    }
}
