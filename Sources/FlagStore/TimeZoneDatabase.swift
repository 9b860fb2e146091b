import FlagCore
import Glibc
import Platform

/// The time zones of this machine: the files of the tz database, each read once.
final class TimeZoneDatabase: Sendable {
    /// The machine's own.
    static let shared = TimeZoneDatabase(directory: "/usr/share/zoneinfo")

    private let directory: String
    private let known = Locked<[String: TimeZoneRules?]>([:])

    /// No file of the database is larger than this many bytes.
    private static let fileBytes = 65_536
    /// How many names are remembered: made-up ones must not fill the memory.
    private static let namesMaximum = 2_000

    /// The time zones whose files lie under `directory`.
    init(directory: String) { self.directory = directory }

    /// The rules of a time zone such as `Europe/Berlin`; nil when the machine knows none of this name. Blocks while a
    /// small file is read, the first time. From any thread.
    func rules(of name: String) -> TimeZoneRules? {
        if name == "UTC" || name == "Etc/UTC" { return .utc }
        guard TimeZoneDatabase.isName(name) else { return nil }
        if let rules = known.withLock({ $0[name] }) { return rules }
        let rules = read("\(directory)/\(name)").flatMap { TimeZoneRules(tzif: $0) }
        known.withLock { known in
            if known.count < TimeZoneDatabase.namesMaximum { known[name] = .some(rules) }
        }
        return rules
    }

    /// Whether a name can be one: letters, digits and a few marks, in parts that are no way out of the directory.
    private static func isName(_ name: String) -> Bool {
        guard name.utf8.count <= 64, name.utf8.first.map({ $0 | 0x20 }).map({ (0x61...0x7A).contains($0) }) == true
        else { return false }
        return name.utf8.allSatisfy { byte in
            (0x61...0x7A).contains(byte | 0x20) || (0x30...0x39).contains(byte) || "/_+-".utf8.contains(byte)
        }
    }

    private func read(_ path: String) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        guard let bytes = try? readWhole(file, TimeZoneDatabase.fileBytes, at: 0) else { return nil }
        return bytes.count < TimeZoneDatabase.fileBytes ? bytes : nil
    }
}
