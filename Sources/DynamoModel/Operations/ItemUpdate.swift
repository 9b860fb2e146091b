/// Applies the actions of one update to an item.
///
/// Every operand reads the item as it was before; then the changes are made. List elements keep their positions until
/// all of them are: elements set past the end are appended in the order of their positions, and removals come last.
/// Each attribute is copied once, at its first change, and changed in place from then on: O(item and actions).
package struct ItemUpdate {
    /// Whether there is an item already.
    private let exists: Bool
    /// What operands read: the item as it was, or the key of the one that is about to be.
    private let old: Item
    private var item: Item
    private var appended: [(path: DocumentPath, index: Int, value: AttributeValue)] = []
    private var removals: [DocumentPath] = []
    private var work: ExpressionWork

    /// The item that the actions make of `old`; nil where there is none and they only take away, which makes none.
    ///
    /// - Parameters:
    ///   - old: the item as it is, nil when there is none.
    ///   - key: the key's attributes, of which a new item is made.
    ///   - work: what the expressions of the request have cost so far.
    /// - Throws: `validation` with DynamoDB's text when an action does not fit the item, or when they cost too much.
    package static func apply(
        _ actions: [UpdateAction], to old: Item?, key: Item, _ work: inout ExpressionWork
    ) throws(TableError) -> Item? {
        if old == nil, !actions.isEmpty, actions.allSatisfy(\.onlyTakesAway) { return nil }
        var update = ItemUpdate(exists: old != nil, item: old ?? key, work)
        defer { work = update.work }
        for action in actions { try update.apply(action) }
        try update.finish()
        return update.item
    }

    private init(exists: Bool, item: Item, _ work: ExpressionWork) {
        self.exists = exists
        self.work = work
        old = item
        self.item = item
    }

    private mutating func apply(_ action: UpdateAction) throws(TableError) {
        switch action {
        case .set(let path, let value):
            try set(path, to: try self.value(of: value))
        case .remove(let path):
            if try hasParent(path) { removals.append(path) }
        case .add(let path, let value):
            let old = path.value(in: old)
            try work.add(old)
            try work.add(value)
            try set(path, to: try sum(old, value))
        case .delete(let path, let value):
            guard try hasParent(path), let set = path.value(in: old) else { return }
            try work.add(set)
            try work.add(value)
            if let rest = try difference(set, value) { try self.set(path, to: rest) } else { removals.append(path) }
        }
    }

    /// Whether there can be something at a path to take away: not in an item that does not exist.
    ///
    /// - Throws: `validation` when what the path's last step leads out of is not there, or of another type.
    private func hasParent(_ path: DocumentPath) throws(TableError) -> Bool {
        guard exists else { return false }
        guard let last = path.steps.last else { return true }
        switch (last, path.parent.value(in: old)) {
        case (.member, .map), (.element, .list): return true
        default: throw Self.invalidPath
        }
    }

    private mutating func set(_ path: DocumentPath, to value: AttributeValue) throws(TableError) {
        if case .element(let index) = path.steps.last, let list = path.parent.value(in: old)?.listValue,
            index >= list.count
        {
            appended.append((path.parent, index, value))
            return
        }
        try change(path) { $0 = value }
    }

    private mutating func finish() throws(TableError) {
        for (path, _, value) in appended.sorted(by: { $0.index < $1.index }) {
            try changeList(at: path) { $0.append(value) }
        }
        // Backwards through the document, so that the positions that are still to be removed do not move.
        let removals = removals.sorted { $0.comes(after: $1) }
        var next = 0
        while next < removals.count {
            let path = removals[next]
            guard case .element = path.steps.last else {
                try change(path) { $0 = nil }
                next += 1
                continue
            }
            // What is removed of one list goes at once: each removal alone would move all that stands behind it.
            var positions: Set<Int> = []
            while next < removals.count, case .element(let index) = removals[next].steps.last,
                removals[next].isSibling(of: path)
            {
                positions.insert(index)
                next += 1
            }
            try changeList(at: path.parent) { elements in
                var position = -1
                elements.removeAll { _ in
                    position += 1
                    return positions.contains(position)
                }
            }
        }
    }

    /// Changes the list at a path; what is no list stays as it is.
    private mutating func changeList(
        at path: DocumentPath, _ body: (inout [AttributeValue]) -> Void
    ) throws(TableError) {
        try change(path) { value in
            guard case .list(var elements) = value else { return }
            // Nobody else holds the elements while they are changed, so that they are not copied.
            value = nil
            body(&elements)
            value = .list(elements)
        }
    }

    /// Changes the value at a path; everything above it must be there.
    private mutating func change(
        _ path: DocumentPath, _ body: (inout AttributeValue?) -> Void
    ) throws(TableError) {
        guard !path.steps.isEmpty else {
            return body(&item[path.attribute])
        }
        guard var root = item[path.attribute] else { throw Self.invalidPath }
        item[path.attribute] = .null
        try Self.change(&root, path.steps[...], body)
        item[path.attribute] = root
    }

    private static func change(
        _ value: inout AttributeValue, _ steps: ArraySlice<DocumentPath.Step>,
        _ body: (inout AttributeValue?) -> Void
    ) throws(TableError) {
        let rest = steps.dropFirst()
        switch (steps.first, value) {
        case (.member(let name), .map(var members)):
            value = .null
            defer { value = .map(members) }
            guard !rest.isEmpty else { return body(&members[name]) }
            guard var member = members[name] else { throw invalidPath }
            members[name] = .null
            defer { members[name] = member }
            try change(&member, rest, body)
        case (.element(let index), .list(var elements)):
            guard elements.indices.contains(index) else { throw invalidPath }
            value = .null
            defer { value = .list(elements) }
            guard rest.isEmpty else { return try change(&elements[index], rest, body) }
            var element: AttributeValue? = elements[index]
            elements[index] = .null
            body(&element)
            elements[index] = element ?? .null
        default:
            throw invalidPath
        }
    }
}

// MARK: - Values

extension ItemUpdate {
    private mutating func value(of expression: SetValue) throws(TableError) -> AttributeValue {
        switch expression {
        case .value(let value):
            return value
        case .path(let path):
            guard let value = path.value(in: old) else { throw Self.missingAttribute }
            return value
        case .ifNotExists(let path, let other):
            if let value = path.value(in: old) { return value }
            return try value(of: other)
        case .listAppend(let first, let second):
            guard case .list(let first) = try value(of: first), case .list(let second) = try value(of: second) else {
                throw Self.wrongType
            }
            try work.add((first.count + second.count) * MemoryLayout<AttributeValue>.stride)
            return .list(first + second)
        case .plus(let left, let right):
            return .number(try sum(try number(left), try number(right)))
        case .minus(let left, let right):
            return .number(try sum(try number(left), try number(right).negated))
        }
    }

    private mutating func number(_ expression: SetValue) throws(TableError) -> DynamoNumber {
        guard case .number(let number) = try value(of: expression) else { throw Self.wrongType }
        return number
    }

    private func sum(_ left: DynamoNumber, _ right: DynamoNumber) throws(TableError) -> DynamoNumber {
        do throws(DynamoNumberError) {
            return try left.adding(right)
        } catch {
            // DynamoDB calls it so whatever keeps the sum from being held, too many digits for example.
            throw .validation(
                (error == .tooManyDigits ? DynamoNumberError.overflow : error).description)
        }
    }

    private func sum(_ old: AttributeValue?, _ value: AttributeValue) throws(TableError) -> AttributeValue {
        switch (old, value) {
        case (nil, .number), (nil, .stringSet), (nil, .numberSet), (nil, .binarySet): return value
        case (.number(let old), .number(let value)): return .number(try sum(old, value))
        case (.stringSet(let old), .stringSet(let value)): return .stringSet(old.union(value))
        case (.numberSet(let old), .numberSet(let value)): return .numberSet(old.union(value))
        case (.binarySet(let old), .binarySet(let value)): return .binarySet(old.union(value))
        default: throw Self.wrongType
        }
    }

    /// What is left of a set, nil when nothing is.
    private func difference(
        _ old: AttributeValue, _ value: AttributeValue
    ) throws(TableError) -> AttributeValue? {
        switch (old, value) {
        case (.stringSet(let old), .stringSet(let value)):
            let rest = old.subtracting(value)
            return rest.isEmpty ? nil : .stringSet(rest)
        case (.numberSet(let old), .numberSet(let value)):
            let rest = old.subtracting(value)
            return rest.isEmpty ? nil : .numberSet(rest)
        case (.binarySet(let old), .binarySet(let value)):
            let rest = old.subtracting(value)
            return rest.isEmpty ? nil : .binarySet(rest)
        default:
            throw Self.wrongType
        }
    }

    private static let invalidPath = TableError.validation(
        "The document path provided in the update expression is invalid for update")
    private static let missingAttribute = TableError.validation(
        "The provided expression refers to an attribute that does not exist in the item")
    private static let wrongType = TableError.validation(
        "An operand in the update expression has an incorrect data type")
}

extension UpdateAction {
    /// Where the action changes the item.
    package var path: DocumentPath {
        switch self {
        case .set(let path, _), .remove(let path), .add(let path, _), .delete(let path, _): path
        }
    }

    /// Whether the action can only make an item smaller.
    fileprivate var onlyTakesAway: Bool {
        switch self {
        case .remove, .delete: true
        case .set, .add: false
        }
    }
}

extension DocumentPath {
    /// The path one step up.
    fileprivate var parent: DocumentPath { DocumentPath(attribute, Array(steps.dropLast())) }

    /// Whether both places are in the same value.
    fileprivate func isSibling(of other: DocumentPath) -> Bool {
        attribute == other.attribute && steps.dropLast() == other.steps.dropLast()
    }

    /// Whether the place is behind that of `other` in some order of documents, in which a list's elements are in theirs
    /// and what is within a value is behind it.
    fileprivate func comes(after other: DocumentPath) -> Bool {
        if attribute != other.attribute { return other.attribute.precedes(attribute) }
        for (step, otherStep) in zip(steps, other.steps) where step != otherStep {
            switch (step, otherStep) {
            case (.element(let index), .element(let otherIndex)): return index > otherIndex
            case (.member(let name), .member(let otherName)): return otherName.precedes(name)
            case (.member, .element): return true
            case (.element, .member): return false
            }
        }
        return steps.count > other.steps.count
    }
}
