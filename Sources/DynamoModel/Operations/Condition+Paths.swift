extension Condition {
    /// Every path that the condition looks at, from the left.
    package var paths: [DocumentPath] {
        switch self {
        case .attributeExists(let path), .attributeNotExists(let path), .attributeType(let path, _): [path]
        case .comparison(let left, _, let right), .beginsWith(let left, let right), .contains(let left, let right):
            [left, right].compactMap(\.path)
        case .between(let operand, let lower, let upper): [operand, lower, upper].compactMap(\.path)
        case .isIn(let operand, let choices): ([operand] + choices).compactMap(\.path)
        case .and(let conditions), .or(let conditions): conditions.flatMap(\.paths)
        case .not(let condition): condition.paths
        }
    }
}

extension Operand {
    /// The path that the operand's value comes from, nil when it is given.
    fileprivate var path: DocumentPath? {
        switch self {
        case .path(let path), .size(let path): path
        case .value: nil
        }
    }
}
