import Glibc
import Testing

/// A directory that goes away with its files.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/sqlite-tests-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { mkdtemp($0.baseAddress!) }
        path = String(cString: try #require(made))
    }

    deinit {
        for name in ["a.db", "a.db-wal", "a.db-shm", "b.db", "b.db-journal"] { unlink("\(path)/\(name)") }
        rmdir(path)
    }
}
