extension DocumentPath {
    /// The value at the path, nil when there is none.
    func value(in item: Item?) -> AttributeValue? {
        guard var value = item?[attribute] else { return nil }
        for step in steps {
            switch (step, value) {
            case (.member(let name), .map(let members)):
                guard let member = members[name] else { return nil }
                value = member
            case (.element(let index), .list(let elements)):
                guard elements.indices.contains(index) else { return nil }
                value = elements[index]
            default:
                return nil
            }
        }
        return value
    }
}
