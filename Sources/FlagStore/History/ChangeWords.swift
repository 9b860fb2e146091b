import Bytes
import FlagCore
import JSON

/// What differs between two contents, in words: one sentence for each thing, in the order in which people look at them.
struct ChangeWords {
    /// The sentences.
    private(set) var sentences: [String] = []

    /// Characters of a value that are shown.
    private static let valueCharacters = 60
    /// Sentences at most: who sees more reads the patch.
    private static let sentencesMaximum = 100

    /// What differs from one content to another. O(both).
    init(from old: JSONObject, to new: JSONObject) {
        for (name, tell) in Self.members where old[name] != new[name] {
            sentences += tell(old[name], new[name])
        }
        let known = Set(Self.members.map { ExactText($0.name) })
        for name in old.keys + new.keys.filter({ old[$0] == nil })
        where old[name] != new[name] && !known.contains(ExactText(name)) {
            sentences += Self.places(from: old[name], to: new[name], called: name)
        }
        if sentences.count > Self.sentencesMaximum {
            let more = sentences.count - Self.sentencesMaximum
            sentences.removeLast(more)
            sentences.append("and \(more) more")
        }
    }

    // MARK: - Members

    private typealias Telling = @Sendable (JSONValue?, JSONValue?) -> [String]

    /// What is told of each member that is known, when it differs.
    private static let members: [(name: String, tell: Telling)] = [
        ("archived", { _, new in [new == true ? "archived" : "no longer archived"] }),
        ("state", { [change("state", $0, $1)] }),
        ("defaultEnabled", { [change("default", $0.map(onOff), $1.map(onOff))] }),
        ("enabled", { [change("enabled", $0, $1)] }),
        ("variant", { [change("variant", $0, $1)] }),
        ("defaultVariant", { [change("default variant", $0, $1)] }),
        ("variants", { entries("variant", $0, $1) }),
        ("rollout", rollout),
        ("targeting", { RuleWords.sentences(from: $0, to: $1) }),
        ("condition", { RuleWords.ofCondition(from: $0, to: $1) }),
        ("requires", requirements),
        (
            "clientSide",
            { _, new in [new == true ? "browsers and apps may evaluate it" : "browsers and apps may not evaluate it"] }
        ),
        ("description", { _, _ in ["description changed"] }),
        ("owner", { [change("owner", $0, $1)] }),
        ("tags", { elements("tag", $0, $1) }),
        ("expiresAt", { [change("expires", $0, $1)] }),
        ("reason", { _, new in [new == nil ? "reason removed" : "reason changed"] }),
        ("updatedBy", { [change("set by", $0, $1)] }),
        ("metadata", { entries("metadata", $0, $1) }),
        ("$evaluators", { entries("shared rule", $0, $1) }),
    ]

    private static func onOff(_ value: JSONValue) -> JSONValue {
        value.boolValue.map { .string($0 ? "on" : "off") } ?? value
    }

    private static func rollout(_ old: JSONValue?, _ new: JSONValue?) -> [String] {
        guard let new = new?.objectValue else { return ["rollout removed"] }
        guard let old = old?.objectValue else {
            return ["rollout added" + (new["percentage"].map { ": percentage \(text($0))" } ?? "")]
        }
        let names = [
            "percentage": "percentage", "startPercentage": "percentage at the start", "startAt": "start",
            "endAt": "end",
        ]
        var sentences: [String] = []
        for name in old.keys + new.keys.filter({ old[$0] == nil }) where old[name] != new[name] {
            switch name {
            case "regions": sentences += elements("region", old[name], new[name])
            case "cohorts": sentences += elements("cohort", old[name], new[name])
            case "businessHours": sentences.append(whole("business hours", old[name], new[name]))
            default: sentences.append(change(names[name] ?? name, old[name], new[name]))
            }
        }
        return sentences
    }

    private static func requirements(_ old: JSONValue?, _ new: JSONValue?) -> [String] {
        func all(_ value: JSONValue?) -> [(flag: String, variant: String)] {
            (value?.arrayValue ?? []).map { ($0["flagKey"]?.stringValue ?? "", $0["variant"]?.stringValue ?? "") }
        }
        let (before, after) = (all(old), all(new))
        var sentences: [String] = []
        for (flag, variant) in before {
            guard let other = after.first(where: { $0.flag.isExactly(flag) }) else {
                sentences.append("no longer requires \(flag)")
                continue
            }
            if !other.variant.isExactly(variant) {
                sentences.append("requires of \(flag): \(variant) → \(other.variant)")
            }
        }
        for (flag, variant) in after where !before.contains(where: { $0.flag.isExactly(flag) }) {
            sentences.append("now requires \(variant) of \(flag)")
        }
        return sentences
    }

    // MARK: - Kinds of values

    /// A value that became another one.
    static func change(_ name: String, _ old: JSONValue?, _ new: JSONValue?) -> String {
        "\(name) \(old.map(text) ?? "none") → \(new.map(text) ?? "none")"
    }

    /// Something of which only is told that it differs.
    static func whole(_ name: String, _ old: JSONValue?, _ new: JSONValue?) -> String {
        "\(name) \(old == nil ? "added" : new == nil ? "removed" : "changed")"
    }

    /// Members of an object that each stand for themselves.
    static func entries(_ name: String, _ old: JSONValue?, _ new: JSONValue?) -> [String] {
        let (before, after) = (old?.objectValue ?? JSONObject(), new?.objectValue ?? JSONObject())
        return (before.keys + after.keys.filter { before[$0] == nil }).compactMap { member in
            switch (before[member], after[member]) {
            case (nil, let value?): "\(name) \(member) added: \(text(value))"
            case (_?, nil): "\(name) \(member) removed"
            case (let value, let other): value == other ? nil : change("\(name) \(member)", value, other)
            }
        }
    }

    /// Elements of a list whose order says nothing.
    static func elements(_ name: String, _ old: JSONValue?, _ new: JSONValue?) -> [String] {
        let (before, after) = (old?.arrayValue ?? [], new?.arrayValue ?? [])
        return after.filter { !before.contains($0) }.map { "\(name) \(text($0)) added" }
            + before.filter { !after.contains($0) }.map { "\(name) \(text($0)) removed" }
    }

    /// What is not known here: by its place.
    private static func places(from old: JSONValue?, to new: JSONValue?, called name: String) -> [String] {
        let pointer = JSONPointer().appending(name).description
        guard let old, let new else { return [change(pointer, old, new)] }
        return JSONPatch(from: old, to: new).operations.map { operation in
            let place = pointer + operation.pointer
            let before = operation.kind == .add ? nil : old.value(at: operation.path)
            return change(place, before, operation.value)
        }
    }

    /// A value for people: texts without quotes, nothing longer than a line.
    static func text(_ value: JSONValue) -> String {
        let text = value.stringValue ?? value.serialized()
        return text.count > valueCharacters ? text.prefix(valueCharacters - 1) + "…" : text
    }
}

extension JSONValue {
    /// What stands at a place; nil when there is none.
    func value(at path: [String]) -> JSONValue? {
        path.reduce(self) { (value: JSONValue?, name) in
            guard let elements = value?.arrayValue else { return value?[name] }
            return Int(name).flatMap { elements.indices.contains($0) ? elements[$0] : nil }
        }
    }
}
