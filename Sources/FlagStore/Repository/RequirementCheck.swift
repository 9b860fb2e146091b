import FlagCore
import JSON

/// Checks what flags require of each other before it is written.
package struct RequirementCheck {
    /// The rule of a flag as it will be; nil when there is none.
    package let rule: (String) throws(FlagStoreError) -> FlagRule?

    /// - Parameter rule: finds the rule of a flag as it will be; nil when there is none.
    package init(rule: @escaping (String) throws(FlagStoreError) -> FlagRule?) {
        self.rule = rule
    }

    /// What is wrong with what a flag requires: flags or variants that do not exist, circles, and ways that
    /// are too long to be followed.
    ///
    /// - Parameters:
    ///   - key: the flag.
    ///   - wanted: its rule.
    ///   - pointer: where the flag stands.
    package func issues(
        of key: String, _ wanted: FlagRule, at pointer: JSONPointer = JSONPointer()
    ) throws(FlagStoreError) -> [DefinitionIssue] {
        var issues: [DefinitionIssue] = []
        let place = pointer.appending("requires")
        let graph = ReferenceGraph { key throws(FlagStoreError) in
            guard let rule = try rule(key) else { return [] }
            return ((try? rule.prerequisites()) ?? []).map(\.flagKey)
        }
        let limit = Prerequisite.depthMaximum
        for (index, prerequisite) in ((try? wanted.prerequisites()) ?? []).enumerated() {
            func report(_ member: String, _ message: String) {
                issues.append(
                    DefinitionIssue(
                        pointer: place.appending(index).appending(member).description, message: message))
            }
            let (circle, length) = try graph.explore(from: prerequisite.flagKey, to: key, limit: limit)
            if let circle {
                report("flagKey", "makes a circle: \(([key] + circle).joined(separator: " → "))")
                continue
            }
            guard let other = try rule(prerequisite.flagKey) else {
                report("flagKey", "there is no flag \(prerequisite.flagKey), or it is archived")
                continue
            }
            if length > limit {
                report("flagKey", "leads too deep: flags may require each other \(limit) deep")
            }
            let names = other.variantNames
            if !names.contains(where: { $0.utf8.elementsEqual(prerequisite.variant.utf8) }) {
                report("variant", "is not among the flag's variants: \(names.joined(separator: ", "))")
            }
        }
        return issues
    }
}

extension FlagRule {
    /// The names of the variants.
    var variantNames: [String] {
        switch spelling {
        case .simple: return ["on", "off"]
        case .full(let text):
            let variants = (try? JSONValue(parsing: text))?["variants"]?.objectValue
            return variants.map { $0.members.map(\.key) } ?? []
        }
    }
}
