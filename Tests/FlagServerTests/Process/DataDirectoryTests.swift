import FlagCore
import Foundation
import TestSupport
import Testing

@testable import FlagServer
@testable import FlagStore

@Suite("Data directory")
struct DataDirectoryTests {
    @Test("It is made with its parents, and nobody else may look into it")
    func created() throws {
        let parent = try TemporaryDirectory()
        let path = parent.path + "/a/b"
        let directory = try DataDirectory.open(path, for: "serve")
        #expect(directory.path == path)
        #expect(directory.warning == nil)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o700)
    }

    @Test("A second owner is refused and told who the first one is")
    func second() throws {
        let parent = try TemporaryDirectory()
        let first = try DataDirectory.open(parent.path, for: "serve")
        let error = #expect(throws: DataDirectoryError.self) { try DataDirectory.open(parent.path, for: "import") }
        guard case .owned(parent.path, let owner?) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(owner.process == getpid())
        #expect(owner.command == "serve")
        #expect(abs(owner.startedAt.millisecondsSinceEpoch - Timestamp.systemClock.millisecondsSinceEpoch) < 60_000)
        #expect("\(error.map { "\($0)" } ?? "")".contains("process \(getpid())"))
        withExtendedLifetime(first) {}
    }

    @Test("It is free again when its owner is gone")
    func free() throws {
        let parent = try TemporaryDirectory()
        _ = try DataDirectory.open(parent.path, for: "serve")
        _ = try DataDirectory.open(parent.path, for: "serve")
    }

    @Test("A file in its place, or on the way to it, is said")
    func file() throws {
        let parent = try TemporaryDirectory()
        let file = try parent.write("file", "")
        for path in [file, file + "/below"] {
            let error = #expect(throws: DataDirectoryError.self) { try DataDirectory.open(path, for: "serve") }
            #expect("\(error.map { "\($0)" } ?? "")".contains("--data-dir"))
        }
    }

    @Test("A link to it is as good as the directory itself, and is followed once")
    func link() throws {
        let parent = try TemporaryDirectory()
        let link = parent.path + "/link"
        try FileManager.default.createDirectory(atPath: parent.path + "/data", withIntermediateDirectories: false)
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "data")
        let directory = try DataDirectory.open(link, for: "serve")
        #expect(directory.path == parent.path + "/data")
    }

    @Test(
        "One that others than its owner can change is refused, with what to run, and left as it is",
        arguments: [0o775, 0o757, 0o777])
    func writable(mode: Int) throws {
        let parent = try TemporaryDirectory()
        try setMode(mode, of: parent.path)
        #expect(try refusal(parent.path).contains("run chmod go-w \(parent.path)"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: parent.path) == [])
        try setMode(mode & ~0o022, of: parent.path)
        _ = try DataDirectory.open(parent.path, for: "serve")
    }

    @Test("One that others can look into is served from, and they are told of", arguments: [0o755, 0o750, 0o711])
    func readable(mode: Int) throws {
        let parent = try TemporaryDirectory()
        try setMode(0o600, of: parent.write("flags.db", "x"))
        try setMode(mode, of: parent.path)
        let warning = try #require(try DataDirectory.open(parent.path, for: "serve").warning)
        #expect(warning.contains("run chmod go-rwx \(parent.path)"))
        #expect(!warning.contains("flags.db"))
        try setMode(0o644, of: parent.path + "/flags.db")
        #expect(try #require(try DataDirectory.open(parent.path, for: "serve").warning).contains("read flags.db in it"))
    }

    @Test("Files in it that others can change are refused where they can be reached, and nowhere else")
    func writableFile() throws {
        let parent = try TemporaryDirectory()
        try setMode(0o666, of: parent.write("flags.db", "x"))
        try setMode(0o755, of: parent.path)
        let said = try refusal(parent.path)
        #expect(said.contains("\(parent.path)/flags.db can be changed"))
        #expect(said.contains("run chmod -R go-w \(parent.path)"))
        try setMode(0o700, of: parent.path)
        _ = try DataDirectory.open(parent.path, for: "serve")
    }

    @Test(
        "What stands in the place of one of its files is said, and neither followed nor waited for",
        arguments: ["owner.lock", "flags.db", "flags.db-wal", "flags.db-shm", "continuous/lock"])
    func noFile(name: String) throws {
        let parent = try TemporaryDirectory()
        let path = parent.path + "/" + name
        let elsewhere = try parent.write("elsewhere", "untouched")
        try FileManager.default.createDirectory(atPath: parent.path + "/continuous", withIntermediateDirectories: false)
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: elsewhere)
        #expect(try refusal(parent.path).contains("\(path) is a symbolic link, and must be a file"))
        try FileManager.default.removeItem(atPath: path)
        mkfifo(path, 0o600)
        #expect(try refusal(parent.path).contains("\(path) is a pipe, and must be a file"))
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        #expect(try refusal(parent.path).contains("\(path) is a directory, and must be a file"))
        #expect(try String(contentsOfFile: elsewhere, encoding: .utf8) == "untouched")
    }

    @Test("No folder of it may be a link", arguments: ["backups", "continuous", "continuous/0123"])
    func linkedFolder(name: String) throws {
        let parent = try TemporaryDirectory()
        let path = parent.path + "/" + name
        if name.contains("/") {
            try FileManager.default.createDirectory(
                atPath: parent.path + "/continuous", withIntermediateDirectories: false)
        }
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: parent.path)
        #expect(try refusal(parent.path).contains("\(path) is a symbolic link"))
    }

    @Test("A store whose database is gone or empty is not begun anew", arguments: ["", "-wal", "backup", "image"])
    func lost(what: String) throws {
        let parent = try TemporaryDirectory()
        switch what {
        case "-wal": try parent.write("flags.db-wal", "the last writes")
        case "": return _ = try DataDirectory.open(parent.path, for: "serve")
        default:
            let folder = what == "backup" ? "/backups" : "/continuous/0123"
            try FileManager.default.createDirectory(
                atPath: parent.path + folder, withIntermediateDirectories: true)
            try parent.write("\(folder)/0.\(what)", "a table")
        }
        #expect(try refusal(parent.path).contains("\(parent.path)/flags.db is gone, and"))
        try parent.write("flags.db", "")
        #expect(try refusal(parent.path).contains("\(parent.path)/flags.db is empty, and"))
        // A table can be made from a file where nothing but backups are left.
        if what != "-wal" { _ = try DataDirectory.open(parent.path, for: "restore") }
    }

    private func setMode(_ mode: Int, of path: String) throws {
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }

    /// Why a directory cannot be had.
    private func refusal(_ path: String) throws -> String {
        let error = #expect(throws: DataDirectoryError.self) { try DataDirectory.open(path, for: "serve") }
        return try #require(error.map { "\($0)" })
    }
}
