import DynamoModel
import FlagCore
import FlagStore
import FoundationEssentials
import Glibc
import Platform
import TableEngine

/// The store of this process, open: in a data directory that it owns, or in memory.
///
/// Calls block; the value is closed by `close`, after the last call.
final class DataStore: Sendable {
    /// The tables.
    let tables: SQLiteTableStore
    /// The flags in the profile's table.
    let flags: FlagRepository
    /// The profile that the table is named after.
    let profile: Profile
    /// The directory that it is in; nil for a store in memory.
    let directory: DataDirectory?

    /// How much of the disk a server sets aside for kill switches: some hundred of them, set and ended.
    static let reserveBytes = 4 << 20

    /// The setting of the store that says how flags of it are bucketed.
    private static let fractionalSetting = Settings.fractional.key

    private init(tables: SQLiteTableStore, profile: Profile, directory: DataDirectory?) {
        self.tables = tables
        self.profile = profile
        self.directory = directory
        flags = FlagRepository(store: tables, table: profile.tableName)
    }

    /// Protects the table from deletion, after another one has taken its place.
    func protectTable() throws(TableError) { try ServedTable(tables: tables, profile: profile).protect() }

    /// Opens the store for the server: the profile's table is made where it was never before, and the way of bucketing
    /// is fixed when the store is new.
    ///
    /// - Throws: what is wrong with the directory or the file in it; `StoreMismatch` when the store was made with
    ///   another way of bucketing; `CommandFailure` when the table is gone that it had.
    static func openForServing(_ configuration: ServerConfiguration) throws -> DataStore {
        let files = configuration.atRestKeyFiles(environment: ProcessInfo.processInfo.environment)
        let opened = try open(configuration, for: "serve", keys: { try files.read() }, reserveBytes: reserveBytes)
        return try opened.closedOnFailure { tables in
            let stored = try fractional(of: tables, whenNew: configuration.evaluation.fractional)
            guard stored == configuration.evaluation.fractional else {
                throw StoreMismatch(
                    directory: configuration.dataDirectory, stored: stored,
                    configured: configuration.evaluation.fractional)
            }
            try ServedTable(tables: tables, profile: configuration.profile)
                .prepare(creates: true, recreates: false, in: configuration.dataDirectory)
            return DataStore(tables: tables, profile: configuration.profile, directory: opened.directory)
        }
    }

    /// Opens the store for a command that works on it by itself. The table is the one that the store has: whoever names
    /// a directory need not know which profile serves it.
    ///
    /// - Parameters:
    ///   - keys: reads the operator's keys for what is stored.
    ///   - creates: whether a table is made where there is none.
    static func openForCommand(
        _ configuration: ServerConfiguration, name: String, keys: @escaping Keys = { .none }, creates: Bool
    ) throws -> DataStore {
        let opened = try open(configuration, for: name, keys: keys)
        return try opened.closedOnFailure { tables in
            _ = try fractional(of: tables, whenNew: configuration.evaluation.fractional)
            let known = try Profile.allCases.filter { try ServedTable(tables: tables, profile: $0).isKnown() }
            let profile = known.count == 1 ? known[0] : configuration.profile
            try ServedTable(tables: tables, profile: profile)
                .prepare(creates: creates, recreates: creates, in: configuration.dataDirectory)
            return DataStore(tables: tables, profile: profile, directory: opened.directory)
        }
    }

    /// Writes to the store, so that a file which may only be read is found at the start and not by the first who
    /// changes a flag.
    ///
    /// - Returns: false when the disk is full: what is stored can be served all the same.
    func takesWrites() throws(TableError) -> Bool {
        do {
            try tables.setSetting("server.version", to: FlagServerCommand.version)
            return true
        } catch {
            if case .storage(let failure) = error, failure.kind == .full { return false }
            throw error
        }
    }

    /// Waits for the writes under way, closes the file, and gives the directory back.
    func close() {
        tables.close()
    }

    /// The tables, and the directory that they are in: nil for a store in memory.
    struct Opened {
        let tables: SQLiteTableStore
        let directory: DataDirectory?

        fileprivate func closedOnFailure(_ body: (SQLiteTableStore) throws -> DataStore) throws -> DataStore {
            do {
                return try body(tables)
            } catch {
                tables.close()
                throw error
            }
        }
    }

    /// Reads the operator's keys for what is stored; called again when they are to be exchanged.
    typealias Keys = @Sendable () throws -> AtRestKeys

    private static func open(
        _ configuration: ServerConfiguration, for command: String, keys: @escaping Keys, reserveBytes: Int = 0
    ) throws -> Opened {
        var limits = configuration.tableLimits
        limits.reserveBytes = reserveBytes
        return try open(
            configuration.store, in: configuration.dataDirectory, for: command, limits: limits, keys: keys)
    }

    /// Opens the tables alone. The caller closes them, and holds the directory until then.
    static func open(
        _ store: ServerConfiguration.Store, in dataDirectory: String, for command: String,
        limits: TableLimits = TableLimits(), keys: @escaping Keys = { .none }
    ) throws -> Opened {
        // First: what is wrong with them, is wrong with the configuration, and nothing is opened.
        _ = try keys()
        let readKeys = { @Sendable () throws(TableError) in
            do { return try keys() } catch {
                throw TableError.storage(
                    StorageFailure(
                        kind: .encrypted, reason: "the keys for what is stored cannot be read: \(error)",
                        hint: "Put their files in order, and try again"))
            }
        }
        // Whatever the directory's mode is, the database is nobody else's to read. (Its side files take its mode.)
        let mask = umask(0o077)
        defer { umask(mask) }
        switch store {
        case .memory:
            return Opened(
                tables: try SQLiteTableStore.open(
                    .memory, limits: limits, settingsOfBackups: [fractionalSetting], keys: readKeys),
                directory: nil)
        case .sqlite:
            let directory = try DataDirectory.open(dataDirectory, for: command)
            return Opened(
                tables: try SQLiteTableStore.open(
                    .directory(directory.path), limits: limits, settingsOfBackups: [fractionalSetting], keys: readKeys),
                directory: directory)
        }
    }

    /// Opens the tables alone, for a command that is not about flags.
    static func withTables<Result>(
        of configuration: ServerConfiguration, for command: String, keys: @escaping Keys,
        _ body: (SQLiteTableStore) throws -> Result
    ) throws -> Result {
        let opened = try open(configuration, for: command, keys: keys)
        defer {
            opened.tables.close()
            withExtendedLifetime(opened.directory) {}
        }
        return try body(opened.tables)
    }

    private static func fractional(
        of tables: SQLiteTableStore, whenNew version: FractionalVersion
    ) throws -> FractionalVersion {
        if let stored = try tables.setting(fractionalSetting).flatMap(FractionalVersion.init(rawValue:)) {
            return stored
        }
        try tables.setSetting(fractionalSetting, to: version.rawValue)
        return version
    }
}

extension ServerConfiguration {
    /// The bounds of the tables.
    fileprivate var tableLimits: TableLimits {
        var limits = TableLimits()
        limits.changeRetentionMilliseconds = Int64(stream.retention.milliseconds)
        limits.changeBytesMax = Int64(stream.maximumBytes)
        return limits
    }
}

/// The configuration wants another way of bucketing than the one that the store was made with.
struct StoreMismatch: Error, Equatable, CustomStringConvertible {
    let directory: String
    let stored: FractionalVersion
    let configured: FractionalVersion

    var description: String {
        "evaluation.fractional is \(configured.rawValue), but the flags in \(directory) are bucketed by "
            + "\(stored.rawValue): changing it would deal everybody into buckets anew. Set evaluation.fractional to "
            + "\(stored.rawValue), or begin with another --data-dir"
    }
}
