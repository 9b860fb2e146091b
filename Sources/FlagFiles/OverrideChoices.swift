import Bytes
import FlagCore
import FlagStore

/// What overrides may choose once a file is imported: the variants that their flags have then. Each choice of a flag is
/// looked at once, however many tenants make it.
struct OverrideChoices {
    private let environment: Environment
    private let repository: FlagRepository
    /// The rules of flags that the file changes.
    private var rules: [ExactText: FlagRule?] = [:]
    private var known: [ExactText: [(choice: TenantOverride.Choice, issues: [DefinitionIssue])]] = [:]

    /// The choices that there are when `flags` has been done.
    init(after flags: ImportPlan.Difference<FlagRecord>, in environment: Environment, of repository: FlagRepository) {
        self.environment = environment
        self.repository = repository
        for flag in flags.created + flags.changed.map(\.new) { rules[ExactText(flag.key)] = flag.rule }
    }

    /// Why evaluation would ignore an override; empty when it would not.
    mutating func issues(of draft: TenantOverrideDraft) throws(FlagStoreError) -> [DefinitionIssue] {
        let key = ExactText(draft.flagKey)
        if let looked = known[key]?.first(where: { $0.choice == draft.override.choice }) { return looked.issues }
        let issues = try rule(of: draft.flagKey).map { draft.choiceIssues(for: $0) } ?? []
        known[key, default: []].append((draft.override.choice, issues))
        return issues
    }

    /// How a flag decides; nil where that is not valid.
    private mutating func rule(of flagKey: String) throws(FlagStoreError) -> FlagRule? {
        if let rule = rules[ExactText(flagKey)] { return rule }
        let rule = try repository.rule(ofFlag: flagKey, in: environment)
        rules[ExactText(flagKey)] = .some(rule)
        return rule
    }
}
