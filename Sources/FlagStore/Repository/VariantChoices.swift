import Bytes
import FlagCore
import JSON

/// What overrides of a flag may choose: read once from its rule, asked for as many tenants as there are.
package struct VariantChoices: Sendable {
    /// How many variants a complaint names.
    private static let namedMaximum = 20

    private let names: Set<ExactText>
    private let hasTrue: Bool
    private let hasFalse: Bool
    private let isBoolean: Bool
    /// The names for people, not all of very many.
    private let listed: String

    /// The choices of a rule; nil when it is not valid, and every choice may be right.
    package init?(_ rule: FlagRule) {
        guard let definition = try? rule.definition() else { return nil }
        let variants = definition.json["variants"]?.objectValue?.members ?? []
        names = Set(variants.map { ExactText($0.key) })
        isBoolean = variants.allSatisfy { $0.value.boolValue != nil }
        hasTrue = variants.contains { $0.value == true }
        hasFalse = variants.contains { $0.value == false }
        let more = variants.count - Self.namedMaximum
        let named = variants.prefix(Self.namedMaximum).map(\.key).joined(separator: ", ")
        listed = more > 0 ? "\(named) and \(more) more" : named
    }

    /// Whether evaluation takes a choice, and does not ignore it.
    package func contain(_ choice: TenantOverride.Choice) -> Bool {
        switch choice {
        case .variant(let name): names.contains(ExactText(name))
        case .enabled(let enabled): isBoolean && (enabled ? hasTrue : hasFalse)
        }
    }

    /// Why evaluation would ignore a choice; empty when it would not.
    package func issues(of choice: TenantOverride.Choice) -> [DefinitionIssue] {
        if contain(choice) { return [] }
        switch choice {
        case .variant:
            return [DefinitionIssue(pointer: "/variant", message: "the flag has no such variant; it has \(listed)")]
        case .enabled:
            let message = "the flag has no boolean variant with this value; give variant with one of \(listed)"
            return [DefinitionIssue(pointer: "/enabled", message: message)]
        }
    }
}
