import Glibc
import TestSupport
import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("What becomes of a store that nobody holds any more")
struct LifetimeTests {
    /// The parts of a store that hold files and connections, by their names, as long as they exist.
    private struct Parts {
        weak var store: SQLiteTableStore?
        weak var writer: Writer?
        weak var readers: ReaderPool?
        weak var backups: BackupService?
        weak var archive: ContinuousArchive?

        init(_ store: SQLiteTableStore) {
            self.store = store
            writer = store.writer
            readers = store.readers
            backups = store.backups
            archive = store.backups.archive
        }

        var left: [String] {
            var names: [String] = []
            if store != nil { names.append("store") }
            if writer != nil { names.append("writer") }
            if readers != nil { names.append("readers") }
            if backups != nil { names.append("backups") }
            if archive != nil { names.append("archive") }
            return names
        }
    }

    @Test("Nothing of it is left, whether it was closed or not", arguments: StoreKind.allCases, [true, false])
    func nothingIsLeft(kind: StoreKind, isClosed: Bool) throws {
        let directory = try TemporaryDirectory()
        let parts = try use(directory, kind, isClosed: isClosed)
        // What was under way on a queue of its own lets go of it last.
        #expect(eventually { parts.left == [] })
    }

    /// Writes, reads, makes a backup and keeps a log, and lets go of the store.
    private func use(_ directory: TemporaryDirectory, _ kind: StoreKind, isClosed: Bool) throws -> Parts {
        let store = try SQLiteTableStore.open(kind == .file ? .directory(directory.path) : .memory)
        try store.createTable(TestTable.schema)
        if kind == .file { _ = try store.setContinuousBackups(of: TestTable.name, enabled: true) }
        store.subscribe { _ in }
        try store.put(TestTable.item("a", "1"))
        #expect(try store.getItem(table: TestTable.name, key: TestTable.key("a", "1")) != nil)
        if isClosed { store.close() }
        return Parts(store)
    }
}
