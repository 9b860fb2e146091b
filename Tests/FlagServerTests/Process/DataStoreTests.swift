import DynamoModel
import FlagCore
import FlagStore
import TableEngine
import TestSupport
import Testing

@testable import FlagServer

@Suite("Data store")
struct DataStoreTests {
    private static func configuration(_ profile: Profile, _ directory: String) -> ServerConfiguration {
        var configuration = ServerConfiguration.defaults(for: profile)
        configuration.dataDirectory = directory
        return configuration
    }

    @Test("Serving creates the profile's table with its four indexes, 25/25", arguments: Profile.allCases)
    func table(profile: Profile) throws {
        let directory = try TemporaryDirectory()
        let store = try DataStore.openForServing(Self.configuration(profile, directory.path))
        defer { store.close() }
        let table = try store.tables.describeTable(profile.tableName)
        #expect(table.schema.indexes.count == 4)
        #expect(table.schema.throughput?.readUnits == 25)
        #expect(table.schema.throughput?.writeUnits == 25)
        #expect(try store.flags.isEmpty())
    }

    @Test("The way of bucketing is fixed when the store is made, and another one is refused afterwards")
    func fractional() throws {
        let directory = try TemporaryDirectory()
        var configuration = Self.configuration(.local, directory.path)
        configuration.evaluation.fractional = .v2
        try DataStore.openForServing(configuration).close()
        try DataStore.openForServing(configuration).close()
        configuration.evaluation.fractional = .v3
        let error = #expect(throws: StoreMismatch.self) { try DataStore.openForServing(configuration) }
        #expect(error == StoreMismatch(directory: directory.path, stored: .v2, configured: .v3))
        // A command changes no buckets, so it need not agree.
        try DataStore.openForCommand(configuration, name: "export", creates: false).close()
    }

    @Test("A command works on the table that the directory has, whichever profile it thinks of")
    func commandFindsTable() throws {
        let directory = try TemporaryDirectory()
        try DataStore.openForServing(Self.configuration(.prod, directory.path)).close()
        let store = try DataStore.openForCommand(
            Self.configuration(.local, directory.path), name: "import", creates: false)
        defer { store.close() }
        #expect(store.profile == .prod)
    }

    /// Whether the table of the local profile is protected; nil when there is none.
    private static func isProtected(_ tables: SQLiteTableStore) throws -> Bool? {
        let name = Profile.local.tableName
        return try tables.listTables().contains(name) ? tables.describeTable(name).schema.isProtected : nil
    }

    @Test("The table is protected from deletion when it is first served, and from then on as the operator wants it")
    func protection() throws {
        let directory = try TemporaryDirectory()
        let configuration = Self.configuration(.local, directory.path)
        // Made by somebody else, or by an earlier version.
        let bare = try DataStore.open(.sqlite, in: directory.path, for: "test")
        var schema = FlagTable.schema(named: Profile.local.tableName)
        schema.isProtected = false
        try bare.tables.createTable(schema)
        bare.tables.close()
        _ = consume bare
        for isProtected in [true, false, false] {
            let store = try DataStore.openForServing(configuration)
            defer { store.close() }
            #expect(try Self.isProtected(store.tables) == isProtected)
            try store.tables.updateTable(Profile.local.tableName) { schema in
                var schema = schema
                schema.isProtected = false
                return schema
            }
        }
    }

    @Test("A table that is gone is not made anew in silence, by a server or a command of whatever profile")
    func gone() throws {
        let directory = try TemporaryDirectory()
        let configuration = Self.configuration(.local, directory.path)
        let store = try DataStore.openForServing(configuration)
        try store.tables.deleteTable(Profile.local.tableName)
        store.close()
        _ = consume store
        for profile in [Profile.local, .dev] {
            let configuration = Self.configuration(profile, directory.path)
            let error = #expect(throws: CommandFailure.self) {
                try DataStore.openForCommand(configuration, name: "export", creates: false).close()
            }
            #expect(error?.description.contains("feature-flags-local, which was served from") == true)
        }
        let error = #expect(throws: CommandFailure.self) { try DataStore.openForServing(configuration).close() }
        #expect(error?.description.contains("flag-server restore BACKUP") == true)
        try DataStore.openForCommand(configuration, name: "import", creates: true).close()
        let again = try DataStore.openForServing(configuration)
        defer { again.close() }
        #expect(try Self.isProtected(again.tables) == true)
    }

    @Test("A command makes no table in a store without flags unless it is asked to")
    func noFlags() throws {
        let directory = try TemporaryDirectory()
        try DataStore.open(.sqlite, in: directory.path, for: "test").tables.close()
        let configuration = Self.configuration(.local, directory.path)
        let error = #expect(throws: CommandFailure.self) {
            try DataStore.openForCommand(configuration, name: "import", creates: false).close()
        }
        #expect(error?.description.hasPrefix("there are no flags in \(directory.path): ") == true)
        let store = try DataStore.openForCommand(configuration, name: "import", creates: true)
        defer { store.close() }
        #expect(try Self.isProtected(store.tables) == true)
    }

    @Test("A store in memory leaves nothing on disk")
    func memory() throws {
        var configuration = Self.configuration(.local, "/nowhere/at/all")
        configuration.store = .memory
        try DataStore.openForServing(configuration).close()
    }
}
