import DynamoTable
import FlagCore
import FlagStore
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
        try DataStore.openForCommand(configuration, name: "export").close()
    }

    @Test("A command works on the table that the directory has, whichever profile it thinks of")
    func commandFindsTable() throws {
        let directory = try TemporaryDirectory()
        try DataStore.openForServing(Self.configuration(.prod, directory.path)).close()
        let store = try DataStore.openForCommand(Self.configuration(.local, directory.path), name: "import")
        defer { store.close() }
        #expect(store.profile == .prod)
    }

    @Test("A store in memory leaves nothing on disk")
    func memory() throws {
        var configuration = Self.configuration(.local, "/nowhere/at/all")
        configuration.store = .memory
        try DataStore.openForServing(configuration).close()
    }
}
