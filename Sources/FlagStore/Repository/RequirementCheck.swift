import FlagCore
import JSON

/// Checks what flags require of each other before it is written.
struct RequirementCheck {
    /// The rule of a flag as it will be; nil when there is none.
    let rule: (String) throws(FlagStoreError) -> FlagRule?

    /// How many flags are looked at to find a circle.
    private static let flagsMaximum = 10_000

    /// What is wrong with what a flag requires: flags or variants that do not exist, and circles.
    ///
    /// - Parameters:
    ///   - key: the flag.
    ///   - wanted: its rule.
    ///   - pointer: where the flag stands.
    func issues(
        of key: String, _ wanted: FlagRule, at pointer: JSONPointer = JSONPointer()
    ) throws(FlagStoreError) -> [DefinitionIssue] {
        var issues: [DefinitionIssue] = []
        let place = pointer.appending("requires")
        for (index, prerequisite) in ((try? wanted.prerequisites()) ?? []).enumerated() {
            func report(_ member: String, _ message: String) {
                issues.append(
                    DefinitionIssue(
                        pointer: place.appending(index).appending(member).description, message: message))
            }
            if let circle = try path(from: prerequisite.flagKey, to: key) {
                report("flagKey", "makes a circle: \(([key] + circle).joined(separator: " → "))")
                continue
            }
            guard let other = try rule(prerequisite.flagKey) else {
                report("flagKey", "there is no flag \(prerequisite.flagKey)")
                continue
            }
            let names = other.variantNames
            if !names.contains(where: { $0.utf8.elementsEqual(prerequisite.variant.utf8) }) {
                report("variant", "is not among the flag's variants: \(names.joined(separator: ", "))")
            }
        }
        return issues
    }

    /// The flags on a way along requirements from one flag to another, both included; nil when there is none.
    private func path(from start: String, to end: String) throws(FlagStoreError) -> [String]? {
        var previous: [ExactText: ExactText?] = [ExactText(start): nil]
        var waiting = [ExactText(start)]
        var next = 0
        while next < waiting.count, next < Self.flagsMaximum {
            let current = waiting[next]
            next += 1
            if current == ExactText(end) {
                var path = [current.text]
                var step = current
                while let before = previous[step] ?? nil {
                    path.append(before.text)
                    step = before
                }
                return path.reversed()
            }
            guard let rule = try rule(current.text) else { continue }
            for prerequisite in (try? rule.prerequisites()) ?? [] {
                let key = ExactText(prerequisite.flagKey)
                guard previous.index(forKey: key) == nil else { continue }
                previous[key] = current
                waiting.append(key)
            }
        }
        return nil
    }
}

extension FlagRule {
    /// The names of the variants.
    fileprivate var variantNames: [String] {
        switch spelling {
        case .simple: return ["on", "off"]
        case .full(let text):
            let variants = (try? JSONValue(parsing: text))?["variants"]?.objectValue
            return variants.map { $0.members.map(\.key) } ?? []
        }
    }
}
