import Bytes
import JSON

extension RuleEvaluator {
    /// `var` with a constant path: the data there, or the default where there is none.
    @inline(__always)
    mutating func variable(_ node: UnsafePointer<RuleNode>) throws(RuleFailure) -> Operand {
        let path = tables.paths[Int(node.pointee.detail)]
        // Nearly always it is an attribute of the context by its one name.
        if path.root == .attribute, path.nameCount == 1, case .context = scope {
            if let attribute = context.attributes?[tables.names[Int(path.firstName)].bytes] {
                return Operand(attribute)
            }
            return try value(node, 0)
        }
        if let found = try lookUp(path.root, tables.names + Int(path.firstName), Int(path.nameCount)) { return found }
        return try value(node, 0)
    }

    /// `var` with a path that is computed.
    mutating func computedVariable(_ node: UnsafePointer<RuleNode>) throws(RuleFailure) -> Operand {
        let key = try value(node, 0)
        if let found = try lookUp(key) { return found }
        return try value(node, 1)
    }

    /// The data at a computed path; nil when there is none.
    mutating func lookUp(_ key: Operand) throws(RuleFailure) -> Operand? {
        let path = try text(of: key)
        if key.isNull || path.isEmpty { return try lookUp(.everything, tables.names, 0) }
        try step(path.count / Work.scannedBytesPerStep)
        var names = 1
        for byte in path where byte == UInt8(ascii: ".") { names += 1 }
        try step(names)
        let memory = try scratch.allocate(byteCount: names * MemoryLayout<PathName>.stride)
        let list = memory.bindMemory(to: PathName.self, capacity: names)
        var start = 0
        var count = 0
        for index in 0...path.count where index == path.count || path[index] == UInt8(ascii: ".") {
            (list + count).initialize(to: PathName(UnsafeRawBufferPointer(rebasing: path[start..<index])))
            count += 1
            start = index + 1
        }
        return try lookUp(VariablePath.Root(list.pointee.bytes), list, count)
    }

    /// The data at a path; nil when there is none.
    private mutating func lookUp(
        _ root: VariablePath.Root, _ names: UnsafePointer<PathName>, _ count: Int
    ) throws(RuleFailure) -> Operand? {
        var found: Operand
        var index = 1
        switch scope {
        case .context:
            switch root {
            case .everything: return .data
            case .targetingKey where context.targetingKey != nil:
                found = context.targetingKey.map { .string($0) } ?? .null
            case .tenantId where context.tenantId != nil:
                found = context.tenantId.map { .string($0) } ?? .null
            case .flagd: return flagdProperty(names, count)
            default:
                guard let attribute = context.attributes?[names.pointee.bytes] else { return nil }
                found = Operand(attribute)
            }
        case .element(let element):
            found = element
            index = 0
        case .reduction(let current, let accumulator):
            guard root != .everything else { return .data }
            if names.pointee.bytes.hasSameBytes(as: "current") {
                found = current
            } else if names.pointee.bytes.hasSameBytes(as: "accumulator") {
                found = accumulator
            } else {
                return nil
            }
        }
        while index < count {
            guard let part = try part(of: found, names[index]) else { return nil }
            found = part
            index += 1
        }
        return found
    }

    /// What flagd adds to the context: the flag's key and the time in seconds.
    private func flagdProperty(_ names: UnsafePointer<PathName>, _ count: Int) -> Operand? {
        guard count > 1 else { return .data }
        guard count == 2 else { return nil }
        if names[1].bytes.hasSameBytes(as: "flagKey") { return .string(tables.flagKey) }
        if names[1].bytes.hasSameBytes(as: "timestamp") { return .integer(now.secondsSinceEpoch) }
        return nil
    }

    /// A member of an object, an element of an array, or the length of an array or a text, in characters (Unicode
    /// scalars). An object has only the length that is a member.
    private mutating func part(of value: Operand, _ name: PathName) throws(RuleFailure) -> Operand? {
        switch value {
        case .object(let view):
            return view[name.bytes].map { Operand($0) }
        case .array(let view):
            guard name.index >= 0 else { return name.isLength ? .integer(Int64(view.count)) : nil }
            try step(min(name.index, view.count) / 8)
            return view.element(at: name.index).map { Operand($0) }
        case .list(let list):
            guard name.index >= 0 else { return name.isLength ? .integer(Int64(list.count)) : nil }
            return name.index < list.count ? list[name.index] : nil
        case .string(let text) where name.isLength:
            return .integer(Int64(try length(of: text)))
        default:
            return nil
        }
    }

    // MARK: Missing

    /// `missing`: which of the paths, given as arguments or as one list, have no data.
    mutating func missing(_ node: UnsafePointer<RuleNode>) throws(RuleFailure) -> Operand {
        let arguments = try values(node)
        if let first = arguments.first, first.isArray { return .list(try missing(among: first)) }
        return .list(try missing(among: .list(arguments)))
    }

    /// `missing_some`: nothing when at least so many of the paths have data, else those that have none.
    mutating func missingSome(_ node: UnsafePointer<RuleNode>) throws(RuleFailure) -> Operand {
        let needed = try number(of: value(node, 0))
        let paths = try value(node, 1)
        let missing = try missing(among: paths)
        let present = paths.elements.count - missing.count
        return .list(Double(present) >= needed ? UnsafeBufferPointer(start: nil, count: 0) : missing)
    }

    private mutating func missing(among paths: Operand) throws(RuleFailure) -> UnsafeBufferPointer<Operand> {
        let elements = paths.elements
        let list = try scratch.allocateList(elements.count)
        var count = 0
        for path in elements {
            try step()
            let found = try lookUp(path) ?? .null
            guard found.isNull || found.stringBytes?.isEmpty ?? false else { continue }
            list.initializeElement(at: count, to: path)
            count += 1
        }
        return UnsafeBufferPointer(rebasing: list[..<count])
    }
}

extension PathName {
    /// Whether it asks an array or a text how long it is.
    fileprivate var isLength: Bool { bytes.hasSameBytes(as: "length") }
}
