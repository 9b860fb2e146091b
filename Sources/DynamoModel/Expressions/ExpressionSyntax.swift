/// A document path as it is written.
struct PathSyntax: Equatable {
    /// One element of it.
    enum Element: Equatable {
        /// A name as it stands.
        case word(String)
        /// A placeholder for a name, with its `#`.
        case name(String)
        /// A position in a list.
        case index(Int)
    }

    var elements: [Element]
}

/// Something that has a value, as it is written.
indirect enum OperandSyntax: Equatable {
    case path(PathSyntax)
    /// A placeholder for a value, with its `:`.
    case value(String)
    case function(FunctionSyntax)
}

/// A function with its operands, as it is written.
struct FunctionSyntax: Equatable {
    let name: String
    let operands: [OperandSyntax]
}

/// A condition as it is written. Chains of AND and of OR are one node each, so that long ones are not deep.
indirect enum ConditionSyntax: Equatable {
    case comparison(OperandSyntax, Comparison, OperandSyntax)
    case between(OperandSyntax, OperandSyntax, OperandSyntax)
    case isIn(OperandSyntax, [OperandSyntax])
    case function(FunctionSyntax)
    case and([ConditionSyntax])
    case or([ConditionSyntax])
    case not(ConditionSyntax)
}

/// One change of an update, as it is written.
enum ActionSyntax: Equatable {
    case set(PathSyntax, SetSyntax)
    case remove(PathSyntax)
    case add(PathSyntax, value: String)
    case delete(PathSyntax, value: String)

    /// Where the change is made.
    var path: PathSyntax {
        switch self {
        case .set(let path, _), .remove(let path), .add(let path, _), .delete(let path, _): path
        }
    }
}

/// What a SET gives, as it is written.
enum SetSyntax: Equatable {
    case operand(OperandSyntax)
    case sum(OperandSyntax, OperandSyntax)
    case difference(OperandSyntax, OperandSyntax)

    /// The operands, from the left.
    var operands: [OperandSyntax] {
        switch self {
        case .operand(let operand): [operand]
        case .sum(let left, let right), .difference(let left, let right): [left, right]
        }
    }
}

extension Comparison {
    /// The operator as it is written.
    var symbol: String {
        switch self {
        case .equal: "="
        case .notEqual: "<>"
        case .less: "<"
        case .lessOrEqual: "<="
        case .greater: ">"
        case .greaterOrEqual: ">="
        }
    }

    /// The comparison that holds when the operands change places.
    var mirrored: Comparison {
        switch self {
        case .equal, .notEqual: self
        case .less: .greater
        case .lessOrEqual: .greaterOrEqual
        case .greater: .less
        case .greaterOrEqual: .lessOrEqual
        }
    }
}
