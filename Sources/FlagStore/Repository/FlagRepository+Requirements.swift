import DynamoTable
import FlagCore

/// A flag that requires another one.
package struct Dependent: Sendable, Equatable {
    /// The flag that requires.
    package let flagKey: String
    /// The variant that it requires.
    package let variant: String
}

extension FlagRepository {
    /// The flags of an environment that require a flag, by key. Blocks; O(those, and what was written since the last
    /// look), the first time O(flags of the environment).
    package func dependents(
        of key: String, in environment: Environment
    ) throws(FlagStoreError) -> [Dependent] {
        var dependents: [Dependent] = []
        func add(_ dependent: String, _ rule: FlagRule) {
            for prerequisite in (try? rule.prerequisites()) ?? []
            where prerequisite.flagKey.utf8.elementsEqual(key.utf8) {
                let new = Dependent(flagKey: dependent, variant: prerequisite.variant)
                if !dependents.contains(new) { dependents.append(new) }
            }
        }
        for namer in try references.namers(of: .flag(ExactText(key)), in: environment, of: self) {
            guard case .flag(let dependent) = namer,
                let rule = try item(.flag(environment, key: dependent.text)).flatMap({ FlagRule($0) })
            else { continue }
            add(dependent.text, rule)
        }
        // What is not valid now goes on as it was.
        try forEachLastValidRule(in: environment, add)
        return dependents.sorted { $0.flagKey < $1.flagKey }
    }

    /// Refuses a flag that requires what does not exist, or itself in a circle, or whose rule names a segment that does
    /// not exist, or that loses a variant which others require. Blocks when there is anything to look up.
    func checkReferences(of record: FlagRecord) throws(FlagStoreError) {
        var issues: [DefinitionIssue] = []
        let environment = record.environment
        if record.rule.requires != nil {
            let check = RequirementCheck { key throws(FlagStoreError) in
                try item(.flag(environment, key: key)).flatMap { FlagRule($0) }
            }
            issues += try check.issues(of: record.key, record.rule)
        }
        issues += try segmentCheck(in: environment).issues(of: record.rule.segmentReferences())
        issues += try lostVariants(of: record)
        guard issues.isEmpty else { throw .invalid(issues) }
    }

    /// The variants that others require of the flag as it is stored, and that it would not have any more.
    private func lostVariants(of record: FlagRecord) throws(FlagStoreError) -> [DefinitionIssue] {
        let kept = Set(record.rule.variantNames.map { ExactText($0) })
        let key = ItemKey.flag(record.environment, key: record.key)
        guard let stored = try item(key).flatMap({ FlagRule($0) }),
            !stored.variantNames.allSatisfy({ kept.contains(ExactText($0)) })
        else { return [] }
        return try dependents(of: record.key, in: record.environment)
            .filter { !kept.contains(ExactText($0.variant)) && $0.flagKey != record.key }
            .map { dependent in
                let message = "\(dependent.variant) must stay: the flag \(dependent.flagKey) requires it"
                return DefinitionIssue(pointer: "/variants", message: message)
            }
    }
}
