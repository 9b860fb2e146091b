import Glibc

/// A directory of its own that goes away with the value.
final class TemporaryDirectory {
    let path: String

    init() throws {
        var template = Array("/tmp/flag-store-XXXXXX".utf8CString)
        guard let name = mkdtemp(&template) else { throw TemporaryDirectoryError(errno: errno) }
        path = String(cString: name)
    }

    deinit {
        guard let directory = opendir(path) else { return }
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { unlink("\(path)/\(name)") }
        }
        closedir(directory)
        rmdir(path)
    }
}

struct TemporaryDirectoryError: Error {
    let errno: Int32
}
