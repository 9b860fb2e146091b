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
    /// The flags of an environment that require a flag, by key. Blocks; O(flags of the environment).
    package func dependents(
        of key: String, in environment: Environment
    ) throws(FlagStoreError) -> [Dependent] {
        let query = Query(
            table: table, index: FlagTable.flagsIndex, partition: .string(FlagIndex.all.partition(in: environment)))
        var dependents: [Dependent] = []
        func add(_ dependent: String, _ rule: FlagRule) {
            for prerequisite in (try? rule.prerequisites()) ?? []
            where prerequisite.flagKey.utf8.elementsEqual(key.utf8) {
                let new = Dependent(flagKey: dependent, variant: prerequisite.variant)
                if !dependents.contains(new) { dependents.append(new) }
            }
        }
        try forEachItem(of: query) { item throws(FlagStoreError) in
            guard item[Attribute.requires] != nil, case .flag(environment, let dependent)? = ItemKey(item),
                let rule = FlagRule(item)
            else { return }
            add(dependent, rule)
        }
        // What is not valid now goes on as it was.
        try forEachLastValidRule(in: environment, add)
        return dependents.sorted { $0.flagKey < $1.flagKey }
    }

    /// Refuses a flag that requires what does not exist, or itself in a circle, or whose rule names a segment that does
    /// not exist. Blocks when there is anything to look up.
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
        guard issues.isEmpty else { throw .invalid(issues) }
    }
}
