import Glibc
import Platform

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

/// A device under the files of backups and logs: whoever has it looks at each write before it is done.
final class WatchedDevice: Sendable {
    private let look = Locked<@Sendable (String) -> Bool>({ _ in true })

    /// Asks `body` before each write, with the path of the file, whether it is done; else it fails.
    func watch(_ body: @escaping @Sendable (_ path: String) -> Bool) { look.withLock { $0 = body } }

    /// Lets every write be done.
    func mend() { watch { _ in true } }

    /// What a store writes with.
    var calls: FileCalls {
        var calls = FileCalls.system
        calls.write = { [look] descriptor, bytes, offset in
            var path = [CChar](repeating: 0, count: 4096)
            let count = readlink("/proc/self/fd/\(descriptor)", &path, path.count)
            let bytesOfPath = path.prefix(max(0, count)).map { UInt8(bitPattern: $0) }
            let isDone = look.withLock { $0 }(String(decoding: bytesOfPath, as: UTF8.self))
            if isDone { return FileCalls.system.write(descriptor, bytes, offset) }
            errno = EIO
            return -1
        }
        return calls
    }
}
