import Bytes
import JSON

extension RuleEvaluator {
    /// Whether the value counts as true.
    @inline(__always)
    mutating func isTrue(_ value: Operand) throws(RuleFailure) -> Bool {
        guard case .spelled(let view) = value else { return value.isTrue }
        return try double(of: view) != 0
    }

    /// Whether both have the same type and value (`===`). 1 and 1.0 are the same; arrays and objects are compared by
    /// what they hold, where JavaScript would compare identity.
    @inline(__always)
    mutating func isStrictlyEqual(_ left: Operand, _ right: Operand) throws(RuleFailure) -> Bool {
        switch (left, right) {
        case (.string(let left), .string(let right)): return try isSame(left, right)
        case (.integer(let left), .integer(let right)): return left == right
        case (.null, .null): return true
        case (.bool(let left), .bool(let right)): return left == right
        case (.number(let left), .number(let right)): return left == right
        case (.integer(let whole), .number(let value)), (.number(let value), .integer(let whole)):
            return Int64(exactly: value) == whole
        default: return try isSameComposite(left, right)
        }
    }

    /// Whether two texts are the same.
    @inline(__always)
    mutating func isSame(
        _ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer
    ) throws(RuleFailure) -> Bool {
        guard left.count == right.count else { return false }
        try step(left.count / Work.comparedBytesPerStep)
        return left.hasSameBytes(as: right)
    }

    /// The rest of strict equality: arrays, objects and numbers that are kept as they are spelled.
    @inline(never)
    private mutating func isSameComposite(_ left: Operand, _ right: Operand) throws(RuleFailure) -> Bool {
        if left.isArray, right.isArray { return try isSameArray(left, right) }
        switch (left, right) {
        case (.object(let left), .object(let right)): return try isSameObject(left, right)
        case (.data, .data): return true
        case (.spelled, _), (_, .spelled):
            guard let left = try identity(of: left), let right = try identity(of: right) else { return false }
            return left == right
        default: return false
        }
    }

    /// What number a value is; nil when it is none.
    private mutating func identity(of value: Operand) throws(RuleFailure) -> NumberIdentity? {
        switch value {
        case .integer(let whole): return NumberIdentity(whole)
        case .number(let double): return NumberIdentity(double)
        case .spelled(let view):
            try step(1 + Work.steps(converting: view.storedBytes.count))
            return NumberIdentity(view)
        default: return nil
        }
    }

    private mutating func isSameArray(_ left: Operand, _ right: Operand) throws(RuleFailure) -> Bool {
        // One list reached twice is not walked over: a rule can make one that shares its parts with itself, and the
        // ways through such a list double with every level.
        if left.isIdentical(to: right) { return true }
        var (left, right) = (left.elements, right.elements)
        guard left.count == right.count else { return false }
        try enter()
        defer { leave() }
        while let element = left.next(), let other = right.next() {
            try step()
            guard try isStrictlyEqual(element, other) else { return false }
        }
        return true
    }

    private mutating func isSameObject(_ left: JSONView, _ right: JSONView) throws(RuleFailure) -> Bool {
        guard left.count == right.count else { return false }
        try enter()
        defer { leave() }
        for (name, value) in left.members {
            // Finding a member hashes its name.
            try step(4 + name.count / Work.scannedBytesPerStep)
            guard let other = right[name], try isStrictlyEqual(Operand(value), Operand(other)) else { return false }
        }
        return true
    }

    /// Whether a value is an element of a constant list.
    mutating func isMember(_ value: Operand, of set: ConstantSet) throws(RuleFailure) -> Bool {
        guard set.isSearched else { return try isMember(value, ofLarge: set) }
        for member in set.members {
            try step()
            if try isStrictlyEqual(member, value) { return true }
        }
        for element in set.composites {
            try step()
            if try isStrictlyEqual(element, value) { return true }
        }
        return false
    }

    private mutating func isMember(_ value: Operand, ofLarge set: ConstantSet) throws(RuleFailure) -> Bool {
        if let text = value.stringBytes { try step(text.count / Work.scannedBytesPerStep) }
        if case .spelled(let view) = value { try step(Work.steps(converting: view.storedBytes.count)) }
        guard let hash = value.scalarHash else {
            for element in set.composites {
                try step()
                if try isStrictlyEqual(element, value) { return true }
            }
            return false
        }
        var candidates = set.candidates(hash)
        while let member = candidates.next() {
            if try isStrictlyEqual(member, value) { return true }
            try step()
        }
        return false
    }

    // MARK: Numbers that are kept as they are spelled

    /// A number as the nearest double.
    mutating func double(of view: JSONView) throws(RuleFailure) -> Double {
        try step(Work.steps(converting: view.storedBytes.count))
        return view.double ?? .nan
    }
}

extension Operand {
    /// Whether both are the same list in the same place, which holds the same whatever it holds.
    fileprivate func isIdentical(to other: Operand) -> Bool {
        switch (self, other) {
        case (.list(let left), .list(let right)): left.baseAddress == right.baseAddress && left.count == right.count
        default: false
        }
    }
}
