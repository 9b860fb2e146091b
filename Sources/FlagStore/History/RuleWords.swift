import FlagCore
import JSON

/// What differs between two targeting rules, in words: `rule 2: segment beta added`.
///
/// A rule whose outermost operator is `if` is told case by case, since that is how people write and read them; the
/// cases are numbered from 1. Anything else is told as a whole.
enum RuleWords {
    /// One case of an `if`: what must hold, and what comes of it.
    private struct Case: Equatable {
        let condition: JSONValue
        let result: JSONValue
    }

    /// The difference of two targetings; nil where there is none.
    static func sentences(from old: JSONValue?, to new: JSONValue?) -> [String] {
        guard let new, !isEmpty(new) else { return ["targeting removed"] }
        guard let old, !isEmpty(old) else { return ["targeting added"] + cases(new).all.enumerated().map(added) }
        let (before, after) = (cases(old), cases(new))
        var sentences: [String] = []
        // What both begin and end with stays: a case that is put in moves those behind it, and changes none of them.
        let start = zip(before.all, after.all).prefix { $0 == $1 }.count
        let (oldRest, newRest) = (before.all.dropFirst(start), after.all.dropFirst(start))
        let end = zip(oldRest.reversed(), newRest.reversed()).prefix { $0 == $1 }.count
        let (gone, come) = (Array(oldRest.dropLast(end)), Array(newRest.dropLast(end)))
        let common = min(gone.count, come.count)
        for index in 0..<common { sentences += difference(start + index, gone[index], come[index]) }
        for index in common..<max(common, gone.count) { sentences.append("rule \(start + index + 1) removed") }
        for index in common..<max(common, come.count) { sentences.append(added(start + index, come[index])) }
        if before.otherwise != after.otherwise {
            sentences += results("otherwise", before.otherwise, after.otherwise)
        }
        return sentences.isEmpty ? ["targeting changed"] : sentences
    }

    /// The difference of two conditions of segments; nil where there is none.
    static func ofCondition(from old: JSONValue?, to new: JSONValue?) -> [String] {
        guard let old, let new else { return [ChangeWords.whole("condition", old, new)] }
        return conditions("condition", old, new)
    }

    private static func isEmpty(_ rule: JSONValue) -> Bool { rule.isNull || rule.objectValue?.isEmpty == true }

    /// The cases of a rule, and what comes where none holds. A rule that is no `if` is what comes of no condition.
    private static func cases(_ rule: JSONValue) -> (all: [Case], otherwise: JSONValue?) {
        guard let object = rule.objectValue, object.count == 1, let parts = object["if"]?.arrayValue, parts.count > 1
        else { return ([], rule) }
        let all = stride(from: 0, to: parts.count - 1, by: 2).map {
            Case(condition: parts[$0], result: parts[$0 + 1])
        }
        return (all, parts.count.isMultiple(of: 2) ? nil : parts.last)
    }

    private static func added(_ index: Int, _ added: Case) -> String {
        let segments = names(in: added.condition)
        let whom = segments.isEmpty ? "" : "segment \(segments.joined(separator: ", ")) "
        return "rule \(index + 1) added: \(whom)→ \(ChangeWords.text(added.result))"
    }

    private static func difference(_ index: Int, _ old: Case, _ new: Case) -> [String] {
        let name = "rule \(index + 1):"
        return (old.condition == new.condition ? [] : conditions(name, old.condition, new.condition))
            + (old.result == new.result ? [] : results(name, old.result, new.result))
    }

    private static func conditions(_ name: String, _ old: JSONValue, _ new: JSONValue) -> [String] {
        let (before, after) = (names(in: old), names(in: new))
        let sentences =
            after.filter { !before.contains($0) }.map { "\(name) segment \($0) added" }
            + before.filter { !after.contains($0) }.map { "\(name) segment \($0) removed" }
        if !sentences.isEmpty { return sentences }
        if let (was, becomes) = onlyDifference(old, new) { return ["\(name) \(was) → \(becomes)"] }
        return [name.hasSuffix(":") ? "\(name) condition changed" : "\(name) changed"]
    }

    private static func results(_ name: String, _ old: JSONValue?, _ new: JSONValue?) -> [String] {
        if let old = old.flatMap(shares), let new = new.flatMap(shares) {
            let changed = (old.keys + new.keys.filter { old[$0] == nil }).filter { old[$0] != new[$0] }
            if !changed.isEmpty {
                return changed.map { ChangeWords.change("\(name) share of \($0)", old[$0], new[$0]) }
            }
        }
        return [ChangeWords.change("\(name) variant", old, new)]
    }

    /// The weights of a `fractional` by variant; nil for anything else.
    private static func shares(_ result: JSONValue) -> JSONObject? {
        guard let parts = result.objectValue?["fractional"]?.arrayValue else { return nil }
        var shares = JSONObject()
        for part in parts {
            guard let pair = part.arrayValue, let variant = pair.first?.stringValue else { continue }
            shares[variant] = pair.count > 1 ? pair[1] : 1
        }
        return shares.isEmpty ? nil : shares
    }

    /// The names of the segments of a condition, each once, in their order.
    private static func names(in condition: JSONValue) -> [String] {
        let rule: JSONValue = ["targeting": condition]
        var names: [String] = []
        for reference in FlagDefinition(keeping: rule).segmentReferences() where !names.contains(reference.name) {
            names.append(reference.name)
        }
        return names
    }

    /// The one value, neither list nor object, in which two rules differ; nil where there is more.
    private static func onlyDifference(_ old: JSONValue, _ new: JSONValue) -> (was: String, becomes: String)? {
        let operations = JSONPatch(from: old, to: new).operations
        guard operations.count == 1, operations[0].kind == .replace, let after = operations[0].value,
            let before = old.value(at: operations[0].path), before.isPlain, after.isPlain
        else { return nil }
        return (ChangeWords.text(before), ChangeWords.text(after))
    }
}

extension JSONValue {
    fileprivate var isPlain: Bool { arrayValue == nil && objectValue == nil }
}
