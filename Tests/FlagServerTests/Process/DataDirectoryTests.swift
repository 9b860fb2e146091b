import FlagCore
import Foundation
import Testing

@testable import FlagServer

@Suite("Data directory")
struct DataDirectoryTests {
    @Test("It is made with its parents, and nobody else may look into it")
    func created() throws {
        let parent = try TemporaryDirectory()
        let path = parent.path + "/a/b"
        let directory = try DataDirectory.open(path, for: "serve")
        #expect(directory.path == path)
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
}
