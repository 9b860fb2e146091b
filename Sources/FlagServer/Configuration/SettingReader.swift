import Configuration
import FlagCore

/// Answers settings from the command line, the environment and a file, the first that has one wins, and keeps account
/// of every mistake on the way.
///
/// It asks the configuration library's providers one by one rather than through its `ConfigReader`, which answers the
/// default when a value cannot be read and does not say where a value came from: both belong in the message.
struct SettingReader {
    /// What was given on the command line, by the key of the setting.
    private let commandLine: [String: String]
    /// The process's environment.
    private let environment: [String: String]
    private let variables: EnvironmentVariablesProvider
    /// The file with settings, once it was found: which one may itself depend on settings.
    var file: ConfigurationFile?

    /// Mistakes so far, in the order in which the settings were asked for.
    private(set) var issues: [String] = []
    /// Keys of every setting that was asked for: what nobody asks for does not exist.
    private var keys: [String] = []
    private var variableNames: Set<String> = []
    /// Where each setting that was set came from: an option, a variable or a file.
    private var origins: [String: String] = [:]
    /// What was written for each, by its key.
    private(set) var texts: [String: String] = [:]

    init(commandLine: [String: String], environment: [String: String]) {
        self.commandLine = commandLine
        self.environment = environment
        variables = EnvironmentVariablesProvider(environmentVariables: environment)
    }

    /// What was set, or nil when nothing was, or when what was is wrong (that is in `issues` then).
    ///
    /// - Parameter inFile: False for what must be known before the file is found.
    mutating func value<Value>(of setting: Setting<Value>, inFile: Bool = true) -> Value? {
        if inFile, !keys.contains(setting.key) { keys += setting.keys }
        variableNames.formUnion(setting.variables)
        for key in setting.keys {
            guard let text = commandLine[key] else { continue }
            origins[setting.key] = Setting<Value>.option(key)
            return parse(text, as: setting, from: Setting<Value>.option(key))
        }
        for key in setting.keys {
            let path = ["flag-server"] + key.split(separator: ".").map(String.init)
            let variable = try? variables.value(forKey: AbsoluteConfigKey(path), type: .string)
            guard let text = variable?.value?.text else { continue }
            origins[setting.key] = Setting<Value>.variable(key)
            return parse(text, as: setting, from: Setting<Value>.variable(key))
        }
        guard inFile, let file, let key = setting.keys.first(where: file.keys.contains) else { return nil }
        origins[setting.key] = file.path
        guard let text = file.text(at: key) ?? (setting.takesList ? file.list(at: key) : nil) else {
            issues.append("\(file.path): \(key) must be \(setting.allowed), not a list")
            return nil
        }
        return parse(text, as: setting, from: "\(file.path): \(key)")
    }

    /// What was written for a setting, as it was; nil when nothing was.
    func text<Value>(of setting: Setting<Value>) -> String? { texts[setting.key] }

    /// Adds a mistake that only shows when settings are seen together.
    mutating func report(_ issue: String) {
        issues.append(issue)
    }

    /// A setting's value with where it comes from, for a mistake that only shows when settings are seen together.
    func origin<Value>(of setting: Setting<Value>, _ value: String) -> String {
        guard let origin = origins[setting.key] else { return "\(value) by default" }
        return "\(value) from \(origin)"
    }

    /// Adds every setting in the file and every `FLAG_SERVER_` variable that nobody asked for; to be called last.
    mutating func reportUnknown() {
        if let file {
            for key in file.keys.sorted() where !keys.contains(key) {
                // "log:" with everything beneath it commented out.
                if isSection(key), file.text(at: key) == "" { continue }
                issues.append("\(file.path): \(key) \(explainUnknown(key))")
            }
        }
        for name in environment.keys.sorted() where name.hasPrefix("FLAG_SERVER_") && !variableNames.contains(name) {
            let nearest = Suggestion.nearest(to: name, among: variableNames)
            issues.append("\(name) is no setting" + (nearest.map { "; did you mean \($0)?" } ?? ""))
        }
    }

    private mutating func parse<Value>(_ text: String, as setting: Setting<Value>, from source: String) -> Value? {
        texts[setting.key] = text
        if let value = setting.parse(text) { return value }
        issues.append("\(source) must be \(setting.allowed), not \"\(text)\"")
        return nil
    }

    private func isSection(_ key: String) -> Bool {
        keys.contains { $0.hasPrefix(key + ".") }
    }

    private func explainUnknown(_ key: String) -> String {
        if isSection(key) {
            let members = keys.filter { $0.hasPrefix(key + ".") }.map { String($0.dropFirst(key.count + 1)) }
            return "takes no value itself: beneath it stand \(members.joined(separator: ", "))"
        }
        if let whole = keys.first(where: { key.hasPrefix($0 + ".") && !isSection($0) }) {
            return "is no setting: \(whole) takes a single value"
        }
        let name = key.split(separator: ".").last.map(String.init) ?? key
        let sameName = keys.first { $0 == name || $0.hasSuffix("." + name) }
        if let nearest = Suggestion.nearest(to: key, among: keys) ?? sameName {
            return "is no setting; did you mean \(nearest)?"
        }
        return "is no setting; there are \(keys.sorted().joined(separator: ", "))"
    }
}

extension ConfigValue {
    fileprivate var text: String? {
        if case .string(let text) = content { text } else { nil }
    }
}
