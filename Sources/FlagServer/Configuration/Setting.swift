/// One thing that an operator may set: its key, what may be written there, and how that is read.
///
/// The same text is read in the same way wherever it stands: as `--log-level debug` on the command line, as
/// `FLAG_SERVER_LOG_LEVEL=debug` in the environment, or as `log: {level: debug}` in the file.
struct Setting<Value: Sendable>: Sendable {
    /// The path in the YAML file, joined by dots: `log.level`.
    let key: String
    /// Another key that it is read by as well.
    var otherKey: String?
    /// What may be written, so that it completes the sentence "must be …".
    let allowed: String
    /// Whether a list may stand in the file as well, in the place of words with commas between.
    var takesList = false
    /// Reads what was written; nil when it is not allowed.
    let parse: @Sendable (String) -> Value?

    /// The keys that it is read by, the one that counts first.
    var keys: [String] { [key] + (otherKey.map { [$0] } ?? []) }

    /// The same, read by another key as well.
    func alsoRead(as key: String) -> Setting {
        var setting = self
        setting.otherKey = key
        return setting
    }

    /// The option of `serve` that sets it, where there is one: `--log-level`.
    var option: String { Self.option(key) }

    /// The environment variable that sets it: the path in capitals behind `FLAG_SERVER_`.
    var variable: String { Self.variable(key) }

    /// The environment variables that it is read from, the one that counts first.
    var variables: [String] { keys.map(Self.variable) }

    static func option(_ key: String) -> String { "--" + key.replacing(".", with: "-") }

    static func variable(_ key: String) -> String {
        "FLAG_SERVER_" + String(key.uppercased().map { $0.isLetter || $0.isNumber ? $0 : "_" })
    }
}

extension Setting where Value == String {
    /// Any text that is not empty.
    static func text(_ key: String, _ allowed: String) -> Setting {
        Setting(key: key, allowed: allowed) { $0.isEmpty ? nil : $0 }
    }
}

extension Setting where Value == Int {
    /// A whole number within `range`.
    static func number(_ key: String, _ range: ClosedRange<Int>) -> Setting {
        Setting(key: key, allowed: "a whole number from \(range.lowerBound) to \(range.upperBound)") { text in
            Units.number(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    /// A size: bytes, or a number with `KiB`, `MiB` or `GiB` behind it.
    static func size(_ key: String, _ range: ClosedRange<Int>) -> Setting {
        Setting(
            key: key,
            allowed: "a size from \(Units.size(range.lowerBound)) to \(Units.size(range.upperBound)), such as 64KiB"
        ) { text in
            Units.bytes(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }
}

extension Setting where Value == Duration {
    /// A length of time with its unit: `500ms`, `30s`, `5m`, `1h`.
    static func time(_ key: String, _ range: ClosedRange<Duration>) -> Setting {
        Setting(
            key: key,
            allowed: "a time from \(Units.time(range.lowerBound)) to \(Units.time(range.upperBound)), such as 30s"
        ) { text in
            Units.duration(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }
}

extension Setting where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    /// One of the words of an enumeration.
    static func word(_ key: String) -> Setting {
        Setting(key: key, allowed: Value.allCases.map(\.rawValue).formattedAsChoice()) { Value(rawValue: $0) }
    }
}

extension [String] {
    /// `a`, `a or b`, `a, b or c`.
    func formattedAsChoice() -> String {
        guard let last, count > 1 else { return first ?? "" }
        return dropLast().joined(separator: ", ") + " or " + last
    }
}
