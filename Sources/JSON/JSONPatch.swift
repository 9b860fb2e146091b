/// A difference of two JSON values as a list of changes (RFC 6902), each `add`, `remove` or `replace`.
///
/// Objects are compared member by member and arrays element by element between what both begin and end with. The order
/// of an object's members is none of its value, and no difference.
package struct JSONPatch: Sendable, Equatable {
    /// A change at one place.
    package struct Operation: Sendable, Equatable {
        /// What can be done at a place.
        package enum Kind: String, Sendable { case add, remove, replace }

        /// What is done there.
        package let kind: Kind
        /// The names and indexes that lead to the place, from the root.
        package let path: [String]
        /// What stands there afterwards; nil where it is removed.
        package let value: JSONValue?
    }

    /// Why a patch could not be read, or does not fit what it is applied to.
    package enum Failure: Error, Equatable {
        /// It is none that `json` writes.
        case malformed
        /// There is no such place in the value: its pointer.
        case noSuchPlace(String)
    }

    /// The changes, in the order in which they are made.
    package private(set) var operations: [Operation] = []

    /// What makes one value of another. O(both).
    package init(from old: JSONValue, to new: JSONValue) {
        var path: [String] = []
        compare(old, new, &path)
    }

    /// Whether there is no difference.
    package var isEmpty: Bool { operations.isEmpty }

    // MARK: - Comparing

    private mutating func compare(_ old: JSONValue, _ new: JSONValue, _ path: inout [String]) {
        switch (old, new) {
        case (.object(let old), .object(let new)): compareMembers(old, new, &path)
        case (.array(let old), .array(let new)): compareElements(old, new, &path)
        default:
            if old != new { add(.replace, path, new) }
        }
    }

    private mutating func compareMembers(_ old: JSONObject, _ new: JSONObject, _ path: inout [String]) {
        for (name, value) in old.members {
            path.append(name)
            if let other = new[name] { compare(value, other, &path) } else { add(.remove, path) }
            path.removeLast()
        }
        for (name, value) in new.members where old[name] == nil { add(.add, path + [name], value) }
    }

    private mutating func compareElements(_ old: [JSONValue], _ new: [JSONValue], _ path: inout [String]) {
        let start = zip(old, new).prefix { $0 == $1 }.count
        let end = zip(old.dropFirst(start).reversed(), new.dropFirst(start).reversed()).prefix { $0 == $1 }.count
        let (oldEnd, newEnd) = (old.count - end, new.count - end)
        let common = min(oldEnd, newEnd)
        for index in start..<max(start, common) {
            path.append(String(index))
            compare(old[index], new[index], &path)
            path.removeLast()
        }
        // Each moves up what is behind it.
        for _ in common..<oldEnd { add(.remove, path + [String(common)]) }
        for index in common..<newEnd { add(.add, path + [String(index)], new[index]) }
    }

    private mutating func add(_ kind: Operation.Kind, _ path: [String], _ value: JSONValue? = nil) {
        operations.append(Operation(kind: kind, path: path, value: value))
    }
}

// MARK: - Applying

extension JSONPatch {
    /// What the patch makes of a value. O(value and changes).
    ///
    /// - Throws: `noSuchPlace` where it is not the value that the patch was made for.
    package func applied(to value: JSONValue) throws(Failure) -> JSONValue {
        var value = value
        for operation in operations { try Self.apply(operation, at: operation.path[...], to: &value) }
        return value
    }

    private static func apply(
        _ operation: Operation, at path: ArraySlice<String>, to value: inout JSONValue
    ) throws(Failure) {
        guard let first = path.first else {
            guard operation.kind == .replace, let new = operation.value else { throw operation.noSuchPlace }
            value = new
            return
        }
        let rest = path.dropFirst()
        switch value {
        case .object(var object):
            // Not held twice while a part of it changes.
            value = .null
            try apply(operation, first, rest, to: &object)
            value = .object(object)
        case .array(var array):
            value = .null
            try apply(operation, first, rest, to: &array)
            value = .array(array)
        default: throw operation.noSuchPlace
        }
    }

    private static func apply(
        _ operation: Operation, _ name: String, _ rest: ArraySlice<String>, to object: inout JSONObject
    ) throws(Failure) {
        if rest.isEmpty, operation.kind == .add {
            object[name] = operation.value
            return
        }
        guard var member = object[name] else { throw operation.noSuchPlace }
        if rest.isEmpty {
            object[name] = operation.kind == .remove ? nil : operation.value
        } else {
            try apply(operation, at: rest, to: &member)
            object[name] = member
        }
    }

    private static func apply(
        _ operation: Operation, _ name: String, _ rest: ArraySlice<String>, to array: inout [JSONValue]
    ) throws(Failure) {
        let isAdded = rest.isEmpty && operation.kind == .add
        guard let index = Int(name), index >= 0, index < array.count + (isAdded ? 1 : 0) else {
            throw operation.noSuchPlace
        }
        if isAdded, let value = operation.value {
            array.insert(value, at: index)
        } else if rest.isEmpty {
            if let value = operation.value { array[index] = value } else { array.remove(at: index) }
        } else {
            try apply(operation, at: rest, to: &array[index])
        }
    }
}

// MARK: - As JSON

extension JSONPatch {
    /// The patch as a document: `[{"op": "replace", "path": "/a/0", "value": 1}, …]`.
    package var json: JSONValue { .array(operations.map(\.json)) }

    /// Reads what `json` wrote.
    ///
    /// - Throws: `malformed`.
    package init(json: JSONValue) throws(Failure) {
        guard let list = json.arrayValue else { throw .malformed }
        for entry in list {
            guard let kind = entry["op"]?.stringValue.flatMap(Operation.Kind.init(rawValue:)),
                let path = entry["path"]?.stringValue.flatMap(Operation.path(of:)),
                (kind == .remove) == (entry["value"] == nil)
            else { throw .malformed }
            add(kind, path, entry["value"])
        }
    }
}

extension JSONPatch.Operation {
    /// The place as a JSON pointer (RFC 6901).
    package var pointer: String { path.reduce(JSONPointer()) { $0.appending($1) }.description }

    fileprivate var noSuchPlace: JSONPatch.Failure { .noSuchPlace(pointer) }

    /// The change as a member of the document.
    package var json: JSONValue {
        var object: JSONObject = ["op": .string(kind.rawValue), "path": .string(pointer)]
        object["value"] = value
        return .object(object)
    }

    fileprivate static func path(of pointer: String) -> [String]? {
        if pointer.isEmpty { return [] }
        guard pointer.utf8.first == UInt8(ascii: "/") else { return nil }
        return pointer.unicodeScalars.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map { token in
            var text = String.UnicodeScalarView()
            var isEscaped = false
            for scalar in token {
                if isEscaped {
                    text.append(scalar == "1" ? "/" : "~")
                    isEscaped = false
                } else if scalar == "~" {
                    isEscaped = true
                } else {
                    text.append(scalar)
                }
            }
            return String(text)
        }
    }
}
