import Glibc

/// A directory that goes away with the value, and all that is in it.
package final class TemporaryDirectory: Sendable {
    package let path: String

    /// Makes it.
    ///
    /// - Parameter prefix: what its name begins with, for whoever finds one that a killed run left behind.
    package init(prefix: String = "flag-server-tests") throws {
        var template = Array("/tmp/\(prefix)-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { $0.baseAddress.flatMap { mkdtemp($0) } }
        guard let made else { throw TestFailure("mkdtemp: errno \(errno)") }
        path = String(cString: made)
    }

    deinit { Self.remove(path) }

    /// Writes a file into the directory and gives its path.
    @discardableResult
    package func write(_ name: String, _ text: String) throws -> String {
        let file = path + "/" + name
        guard let stream = fopen(file, "w") else { throw TestFailure("\(file): errno \(errno)") }
        defer { fclose(stream) }
        let bytes = Array(text.utf8)
        guard fwrite(bytes, 1, bytes.count, stream) == bytes.count else { throw TestFailure("\(file): errno \(errno)") }
        return file
    }

    private static func remove(_ path: String) {
        // A link goes away itself, and not what it leads to.
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, let directory = opendir(path) else {
            unlink(path)
            return
        }
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { remove("\(path)/\(name)") }
        }
        closedir(directory)
        rmdir(path)
    }
}
