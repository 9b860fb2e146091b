import Access
import FlagCore
import JSON

/// What is wrong with a file of issuers.
package struct IssuerFileFault: Error, Sendable, Equatable, CustomStringConvertible {
    /// All of it, each with where it is.
    package let issues: [String]

    /// What is wrong.
    package init(issues: [String]) { self.issues = issues }

    package var description: String { issues.joined(separator: "; ") }
}

extension OutsideIssuer.Settings {
    /// How many issuers there may be.
    private static let maximum = 20
    /// How many values of the claim may give something.
    private static let grantsMaximum = 1000

    /// Reads a file of issuers: `{"issuers": [{"issuer", "audience", "keys", "algorithms"?, "claim", "roles":
    /// [{"value", "role", "environment"}]}]}`.
    ///
    /// - Throws: everything that is wrong, unknown members included.
    package static func list(_ file: [UInt8]) throws(IssuerFileFault) -> [OutsideIssuer.Settings] {
        let json: JSONValue
        do throws(JSONError) { json = try JSONValue(parsing: file) } catch {
            throw IssuerFileFault(issues: ["it is no JSON: \(error)"])
        }
        guard let members = json.objectValue, members.keys == ["issuers"], let list = members["issuers"]?.arrayValue,
            list.count <= maximum
        else {
            throw IssuerFileFault(
                issues: ["it must be {\"issuers\": […]} with at most \(maximum) issuers, and nothing else"])
        }
        var issues: [String] = []
        var read: [OutsideIssuer.Settings] = []
        for (index, json) in list.enumerated() {
            var reader = MemberReader(json, at: "/issuers/\(index)")
            if let settings = one(&reader) {
                if read.contains(where: { $0.name == settings.name }) {
                    reader.report("issuer", "is there twice: \(settings.name)")
                }
                read.append(settings)
            }
            issues += reader.issues
        }
        guard issues.isEmpty else { throw IssuerFileFault(issues: issues) }
        return read
    }

    private static func one(_ reader: inout MemberReader) -> OutsideIssuer.Settings? {
        let name = reader.text("issuer")
        let audience = reader.text("audience")
        let keys = reader.text("keys")
        let claim = reader.text("claim")
        if name == TokenIssue.issuer { reader.report("issuer", "must not be \(TokenIssue.issuer), the server's own") }
        if let keys, let fault = fault(ofKeys: keys) { reader.report("keys", fault) }
        let names = reader.list("algorithms", isRequired: false)?.map(\.stringValue)
        let algorithms = names?.map { $0.flatMap(TokenAlgorithm.init(rawValue:)) } ?? [.rs256, .es256]
        if algorithms.contains(nil) || algorithms.isEmpty {
            reader.report("algorithms", "must be one or more of \(TokenAlgorithm.names)")
        }
        let grants = reader.list("roles", isRequired: true) ?? []
        if grants.isEmpty || grants.count > grantsMaximum {
            reader.report("roles", "must be 1 to \(grantsMaximum) objects with value, role and environment")
        }
        let read = grants.prefix(grantsMaximum).enumerated().compactMap { index, json in
            grant(json, at: "\(reader.place)/roles/\(index)", &reader)
        }
        reader.finish()
        guard let name, let audience, let keys, let claim else { return nil }
        return OutsideIssuer.Settings(
            name: name, audience: audience, keys: keys, algorithms: algorithms.compactMap { $0 }, claim: claim,
            grants: read)
    }

    private static func grant(
        _ json: JSONValue, at place: String, _ whole: inout MemberReader
    ) -> OutsideIssuer.Grant? {
        var reader = MemberReader(json, at: place)
        let value = reader.text("value")
        let role = reader.text("role").flatMap(Role.init(rawValue:))
        let environment = reader.text("environment")
        let named = environment.flatMap { Environment(spelling: $0) }
        if role == nil { reader.report("role", "must be one of \(Role.names)") }
        if named == nil, environment != "*" {
            reader.report("environment", "must be \(Environment.spellings), or * for all")
        }
        reader.finish()
        whole.issues += reader.issues
        guard let value, let role else { return nil }
        return OutsideIssuer.Grant(value: value, role: role, environment: named)
    }

    /// What is wrong with where keys are; nil when nothing is. What is fetched without TLS, anybody on the way could
    /// exchange.
    private static func fault(ofKeys keys: String) -> String? {
        guard keys.contains("://") else { return nil }
        // What stands before an @ is no host.
        if keys.contains("@") { return "must name no user" }
        if keys.hasPrefix("https://") { return nil }
        let own = ["http://127.0.0.1", "http://[::1]", "http://localhost"]
        let isOwn = own.contains { name in
            keys.hasPrefix(name) && [nil, ":", "/"].contains(keys.dropFirst(name.count).first)
        }
        return isOwn ? nil : "must be an https:// URL, or the path of a file"
    }
}

/// Reads the members of an object, and notes everything that is wrong with them.
private struct MemberReader {
    let place: String
    private(set) var known: Set<String> = []
    private let members: JSONObject
    var issues: [String] = []

    init(_ json: JSONValue, at place: String) {
        self.place = place
        members = json.objectValue ?? [:]
        if json.objectValue == nil { issues.append("\(place) must be an object") }
    }

    mutating func report(_ name: String, _ detail: String) {
        // Once: what is missing is not wrong as well.
        let start = "\(place)/\(name) "
        if !issues.contains(where: { $0.hasPrefix(start) }) { issues.append(start + detail) }
    }

    mutating func text(_ name: String) -> String? {
        known.insert(name)
        guard let text = members[name]?.stringValue, !text.isEmpty else {
            report(name, "must be a text that is not empty")
            return nil
        }
        return text
    }

    mutating func list(_ name: String, isRequired: Bool) -> [JSONValue]? {
        known.insert(name)
        guard let value = members[name] else {
            if isRequired { report(name, "is required: a list") }
            return nil
        }
        if value.arrayValue == nil { report(name, "must be a list") }
        return value.arrayValue
    }

    mutating func finish() {
        for name in members.keys where !known.contains(name) { report(name, "is not known here") }
    }
}
