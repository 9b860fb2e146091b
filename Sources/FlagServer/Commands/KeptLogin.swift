import Bytes
import FlagCore
import FoundationEssentials
import Glibc
import JSON
import Platform
import Tokens

/// What `login` keeps of one server: a token, in a file of the user's own.
struct KeptLogin {
    /// The server, as it was named: nothing is shown to one of another name.
    let server: String
    let token: String
    let endsAt: Timestamp

    init(server: String, token: String, endsAt: Timestamp) {
        self.server = Self.canonical(server)
        self.token = token
        self.endsAt = endsAt
    }

    /// What is kept of a server; nil for nothing.
    ///
    /// - Throws: `CommandFailure` for a file that others can read.
    static func read(_ server: String) throws -> KeptLogin? {
        guard let path = path(of: server), let status = try? FileStatus(of: path) else { return nil }
        guard status.isRegular, status.owner == geteuid(), status.permissions & 0o077 == 0 else {
            throw CommandFailure("\(path): others could have read or written this login: delete it, and log in again")
        }
        let json = try? JSONValue(parsing: FileBytes.read(path, atMost: 64 << 10))
        guard let token = json?["token"]?.stringValue, json?["server"]?.stringValue == canonical(server),
            let end = json?["endsAt"]?.stringValue.flatMap({ Timestamp(rfc3339: $0) })
        else { return nil }
        return KeptLogin(server: server, token: token, endsAt: end)
    }

    /// Writes it in the place of what was kept before.
    func write() throws {
        guard let path = Self.path(of: server), let directory = Self.directory else {
            throw CommandFailure("there is no place to keep the login in: HOME and XDG_STATE_HOME are not set")
        }
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let json: JSONValue = [
            "server": .string(server), "token": .string(token), "endsAt": .string(endsAt.rfc3339),
        ]
        // The name is the user's own: whatever has it goes, with whatever permissions it had.
        unlink(path)
        try FileBytes.replace(path, with: json.serializedBytes(), mode: 0o600)
    }

    /// Deletes what is kept of a server.
    ///
    /// - Returns: whether anything was.
    static func delete(_ server: String) throws -> Bool {
        guard let path = path(of: server), unlink(path) != 0 else { return path(of: server) != nil }
        guard errno == ENOENT else { throw FileError(path: path, operation: "deleted", errno: errno) }
        return false
    }

    /// XDG Base Directory Specification: what outlives a program and is no one's configuration.
    private static var directory: String? {
        let environment = ProcessInfo.processInfo.environment
        if let state = environment["XDG_STATE_HOME"], state.hasPrefix("/") { return "\(state)/flag-server/logins" }
        return environment["HOME"].map { "\($0)/.local/state/flag-server/logins" }
    }

    private static func path(of server: String) -> String? {
        let name = URLSafeText.text(of: Array(canonical(server).utf8))
        return directory.map { "\($0)/\(name)" }
    }

    private static func canonical(_ server: String) -> String {
        String(server.reversed().drop { $0 == "/" }.reversed())
    }
}
