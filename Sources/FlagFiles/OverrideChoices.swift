import Bytes
import FlagCore
import FlagStore

/// What overrides may choose once a file is imported: the variants that their flags have then. Each flag's rule is read
/// once, however many overrides it has.
struct OverrideChoices {
    private let stored: FlagReader
    /// The rules of flags that the file changes.
    private let rules: [ExactText: FlagRule]
    private var known: [ExactText: VariantChoices?] = [:]

    /// The choices that there are when `flags` has been done.
    init(after flags: ImportPlan.Difference<FlagRecord>, of stored: FlagReader) {
        self.stored = stored
        let changed = (flags.created + flags.changed.map(\.new)).map { (ExactText($0.key), $0.rule) }
        rules = Dictionary(changed) { $1 }
    }

    /// Why evaluation would ignore an override; empty when it would not.
    mutating func issues(of draft: TenantOverrideDraft) throws(FlagStoreError) -> [DefinitionIssue] {
        try choices(of: draft.flagKey)?.issues(of: draft.override.choice) ?? []
    }

    /// The choices of a flag; nil where its rule is not valid.
    private mutating func choices(of flagKey: String) throws(FlagStoreError) -> VariantChoices? {
        let key = ExactText(flagKey)
        if let choices = known[key] { return choices }
        var rule = rules[key]
        if rule == nil { rule = try stored.rule(ofFlag: flagKey) }
        let choices = rule.flatMap { VariantChoices($0) }
        known[key] = .some(choices)
        return choices
    }
}
