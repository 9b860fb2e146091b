import Glibc
import TestSupport
import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("A verification only looks")
struct LookingTests {
    /// The names of everything in a directory with what is in each file, when it was last changed, and its mode.
    private func everything(_ path: String) throws -> [String: String] {
        var found: [String: String] = [:]
        let directory = try #require(opendir(path))
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name == "." || name == ".." { continue }
            var status = stat()
            try #require(lstat("\(path)/\(name)", &status) == 0)
            if status.st_mode & S_IFMT == S_IFDIR {
                for (inner, content) in try everything("\(path)/\(name)") { found["\(name)/\(inner)"] = content }
                found[name] = "directory \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
            } else {
                let bytes = try read("\(path)/\(name)")
                let changed = "\(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
                found[name] = "\(bytes.hashValue) \(bytes.count) \(changed) \(status.st_mode)"
            }
        }
        return found
    }

    /// A directory that a store was killed in: its log has content, beside it lie drafts, leftovers and an old life.
    private func leftByCrash() throws -> TemporaryDirectory {
        let bench = try ContinuousBench()
        try bench.turnOn()
        for first in stride(from: 0, to: 300, by: 100) {
            try bench.store.transactAndWait(
                (first..<first + 100).map { .put(table: TestTable.name, item: TestTable.item("p", "\($0)")) },
                principal: .anonymous)
        }
        _ = try bench.store.createBackup(of: TestTable.name, name: "b")
        try bench.store.backups.archive.flush()
        for number in 300..<320 { try bench.put("\(number)") }
        let left = try TemporaryDirectory()
        try copy(bench.directory.path, to: left.path)
        unlink(left.path + "/flags.db-shm")
        try write([1, 2, 3], to: left.path + "/backups/00000000000000-00000000.backup.part")
        try #require(mkdir(left.path + "/continuous/0123456789abcdef", 0o700) == 0)
        try write([1], to: left.path + "/continuous/0123456789abcdef/log-00000000000000000000.log")
        return left
    }

    private func copy(_ from: String, to: String) throws {
        for (name, content) in try everything(from) {
            if content.hasPrefix("directory") { mkdir("\(to)/\(name)", 0o700) }
        }
        for (name, content) in try everything(from) where !content.hasPrefix("directory") {
            let folder = "\(to)/\(name)".split(separator: "/").dropLast().joined(separator: "/")
            mkdir("/" + folder, 0o700)
            try write(try read("\(from)/\(name)"), to: "\(to)/\(name)")
        }
    }

    @Test("Nothing of a directory that a crash has left is written, made, renamed or removed")
    func afterCrash() throws {
        let left = try leftByCrash()
        let before = try everything(left.path)
        try #require(before.keys.contains { $0 == "flags.db-wal" } && !before.keys.contains { $0 == "flags.db-shm" })
        let report = try SQLiteTableStore.verify(directory: left.path)
        #expect(report.problems == [])
        // Also what is only in the write-ahead log is looked at.
        #expect(report.items == 320 && report.changes == 320 && report.loggedChanges >= 300 && report.backups == 1)
        #expect(try everything(left.path) == before)
    }

    @Test("Nothing is made in a directory that was left in good order, and is written nowhere a name needs quoting")
    func inGoodOrder() throws {
        let parent = try TemporaryDirectory()
        let path = parent.path + "/a #?%20 b"
        try #require(mkdir(path, 0o700) == 0)
        let store = try SQLiteTableStore.open(.directory(path))
        try store.createTable(TestTable.schema)
        try store.put(TestTable.item("p", "1"))
        store.close()
        let before = try everything(parent.path)
        #expect(try SQLiteTableStore.verify(directory: path).items == 1)
        #expect(try everything(parent.path) == before)
    }

    @Test(
        "Nor is anything of a damaged directory, whatever is damaged",
        arguments: ["base-", "log-", "", "flags.db", "flags.db-wal"])
    func damaged(_ kind: String) throws {
        var random = SeededGenerator(seed: 3)
        let crashed = try leftByCrash()
        for round in 0..<8 {
            let left = try TemporaryDirectory()
            try copy(crashed.path, to: left.path)
            let names = try everything(left.path).filter { !$0.value.hasPrefix("directory") }.keys.sorted()
            let chosen = names.filter { $0.contains(kind) && !$0.hasSuffix(".part") && !$0.hasSuffix("/lock") }
            let path = left.path + "/" + (try #require(chosen.randomElement(using: &random)))
            var bytes = try read(path)
            let place = Int.random(in: 0..<bytes.count, using: &random)
            switch round % 4 {
            case 0: bytes[place] ^= 1
            case 1: bytes.removeLast(bytes.count - place)
            case 2: for index in place..<min(bytes.count, place + 4096) { bytes[index] = 0 }
            default: bytes += bytes.prefix(5000)
            }
            try write(bytes, to: path)
            let before = try everything(left.path)
            // What is wrong is told, or why it cannot be told.
            _ = try? SQLiteTableStore.verify(directory: left.path)
            #expect(try everything(left.path) == before, "\(path) round \(round)")
        }
    }
}
