import Bytes
import DynamoModel
import FlagCore
import JSON

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
    func dependents(
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
        var issues = try requirementIssues(of: record)
        let environment = record.environment
        issues += try segmentCheck(in: environment).issues(of: record.rule.segmentReferences())
        if let stored = try item(.flag(environment, key: record.key)).flatMap({ FlagRule($0) }) {
            issues += try lostVariants(of: record, replacing: stored)
        }
        guard issues.isEmpty else { throw .invalid(issues) }
    }

    /// What is wrong with what a flag requires. Blocks when it requires something.
    func requirementIssues(of record: FlagRecord) throws(FlagStoreError) -> [DefinitionIssue] {
        guard record.rule.requires != nil else { return [] }
        let check = RequirementCheck { key throws(FlagStoreError) in
            try item(.flag(record.environment, key: key)).flatMap { item in
                // Nobody is served one that was put away. What was put away itself may wait for it.
                FlagRecord.isArchived(item) && !record.isArchived ? nil : FlagRule(item)
            }
        }
        return try check.issues(of: record.key, record.rule)
    }

    /// The variants that others require of a flag, and that it would not have any more. Blocks when it has lost some.
    ///
    /// - Parameters:
    ///   - old: the flag's rule as it is stored.
    ///   - pointer: where the flag stands.
    ///   - others: flags that will not be what they are, and are checked by themselves.
    func lostVariants(
        of record: FlagRecord, replacing old: FlagRule, at pointer: JSONPointer = JSONPointer(),
        besides others: Set<ExactText> = []
    ) throws(FlagStoreError) -> [DefinitionIssue] {
        let kept = Set(record.rule.variantNames.map { ExactText($0) })
        guard !old.variantNames.allSatisfy({ kept.contains(ExactText($0)) }) else { return [] }
        var issues: [DefinitionIssue] = []
        for dependent in try dependents(of: record.key, in: record.environment) {
            let isSafe = kept.contains(ExactText(dependent.variant)) || dependent.flagKey == record.key
            if isSafe || others.contains(ExactText(dependent.flagKey)) { continue }
            let message = "\(dependent.variant) must stay: the flag \(dependent.flagKey) requires it"
            issues.append(DefinitionIssue(pointer: pointer.appending("variants").description, message: message))
        }
        return issues
    }
}
