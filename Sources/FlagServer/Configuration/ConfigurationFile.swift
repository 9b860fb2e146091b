import Configuration
import Glibc
import JSON
import Platform
import Yams

/// A YAML file with settings: found, read and taken apart.
struct ConfigurationFile: Sendable {
    /// The path as it was looked up, for messages.
    let path: String
    /// The paths of all settings in it, joined by dots, in no order.
    let keys: Set<String>
    /// The values, as the library serves them.
    let snapshot: YAMLSnapshot

    /// A configuration larger than this is some other file.
    static let maximumBytes = 1 << 20

    /// The file that counts: the one that was asked for, else that of the profile under the working directory, else
    /// that of the profile under `/etc/flag-server`, else none.
    ///
    /// - Parameters:
    ///   - requested: A path from `--config` or `FLAG_SERVER_CONFIG`; it must be there.
    ///   - profile: The profile's name, `local` for example.
    ///   - directories: Where the profile's file is looked for, first match wins.
    static func find(
        requested: String?, profile: String, directories: [String] = ["config", "/etc/flag-server"]
    ) throws(ConfigurationError) -> ConfigurationFile? {
        if let requested {
            return try ConfigurationFile(path: requested, contents: read(requested))
        }
        for directory in directories {
            let path = "\(directory)/\(profile).yaml"
            // Only a file that is not there is passed over: one that may not be read was meant to count.
            guard access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR) else { continue }
            return try ConfigurationFile(path: path, contents: read(path))
        }
        return nil
    }

    /// Takes a file's text apart.
    init(path: String, contents: [UInt8]) throws(ConfigurationError) {
        // The library answers for keys that it is asked for and lists none. It does ask, for every key that it finds,
        // whether the value is a secret; that is where the list comes from.
        let found = Locked<Set<String>>([])
        let options = YAMLSnapshot.ParsingOptions(
            secretsSpecifier: .dynamic { key, _ in
                found.withLock { _ = $0.insert(key) }
                return false
            })
        do {
            // A file of comments alone is no mapping, which the library refuses; it sets nothing, which is fine.
            let text = Self.isBlank(contents) ? Array("{}".utf8) : contents
            let whole = try Self.withFreezesAsText(text)
            snapshot = try YAMLSnapshot(data: whole.span.bytes, providerName: path, parsingOptions: options)
        } catch {
            throw ConfigurationError(issues: ["\(path): cannot be read as YAML: \(Self.oneLine("\(error)"))"])
        }
        self.path = path
        keys = found.withLock { $0 }
    }

    /// What is written at `key`, or nil when that is not a single value.
    func text(at key: String) -> String? {
        let path = AbsoluteConfigKey(key.split(separator: ".").map(String.init))
        guard let value = try? snapshot.value(forKey: path, type: .string).value else { return nil }
        guard case .string(let text) = value.content else { return nil }
        return text
    }

    /// What is written at `key` as a list of single values, with commas between them; nil when that is something else.
    func list(at key: String) -> String? {
        let path = AbsoluteConfigKey(key.split(separator: ".").map(String.init))
        guard let value = try? snapshot.value(forKey: path, type: .stringArray).value,
            case .stringArray(let texts) = value.content
        else { return nil }
        return texts.joined(separator: ",")
    }

    /// A file's text with the list of freezes, which the library does not read since its elements are objects, as the
    /// JSON text that it comes to: a setting is text wherever it stands.
    private static func withFreezesAsText(_ contents: [UInt8]) throws -> [UInt8] {
        guard case .mapping(var mapping)? = try Yams.compose(yaml: String(decoding: contents, as: UTF8.self)),
            let freezes = mapping[Node(Settings.freeze.key)], freezes.sequence != nil
        else { return contents }
        mapping[Node(Settings.freeze.key)] = Node(json(freezes).serialized())
        return Array(try Yams.serialize(node: .mapping(mapping)).utf8)
    }

    private static func json(_ node: Node) -> JSONValue {
        switch node {
        case .scalar(let scalar): .string(scalar.string)
        case .sequence(let list): .array(list.map(json))
        case .mapping(let mapping):
            .object(mapping.reduce(into: JSONObject()) { $0[$1.key.string ?? ""] = json($1.value) })
        // Nobody has named one: `compose` puts what an alias stands for in its place.
        case .alias: .null
        }
    }

    private static func isBlank(_ contents: [UInt8]) -> Bool {
        contents.split(separator: UInt8(ascii: "\n")).allSatisfy { line in
            let first = line.first { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\r") }
            return first == nil || first == UInt8(ascii: "#")
        }
    }

    private static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).map { $0.trimmingPrefix { $0 == " " } }.joined(separator: " ")
    }

    private static func read(_ path: String) throws(ConfigurationError) -> [UInt8] {
        do {
            return try FileBytes.read(path, atMost: maximumBytes)
        } catch {
            throw ConfigurationError(issues: ["\(path): the configuration file \(error.reason)"])
        }
    }
}
