extension [DocumentPath] {
    /// Checks that none of the paths leads through or to another, and none takes for a list what another takes for a
    /// map. Overlaps are told before conflicts.
    ///
    /// - Throws: `overlap`, `conflict`.
    /// - Complexity: quadratic in the number of paths of one attribute, linear in that of attributes.
    package func checkDistinct() throws(ExpressionError) {
        var earlier: [AttributeName: [DocumentPath]] = [:]
        var conflict: ExpressionError?
        for path in self {
            for other in earlier[path.attribute] ?? [] {
                switch other.relation(to: path) {
                case .overlap: throw .overlap(other, path)
                case .conflict: conflict = conflict ?? .conflict(other, path)
                case .none: break
                }
            }
            earlier[path.attribute, default: []].append(path)
        }
        if let conflict { throw conflict }
    }
}

extension DocumentPath {
    /// How two paths of one attribute stand to each other.
    fileprivate enum Relation {
        case none, overlap, conflict
    }

    fileprivate func relation(to other: DocumentPath) -> Relation {
        for (step, otherStep) in zip(steps, other.steps) where step != otherStep {
            switch (step, otherStep) {
            case (.member, .element), (.element, .member): return .conflict
            default: return .none
            }
        }
        return .overlap
    }
}
