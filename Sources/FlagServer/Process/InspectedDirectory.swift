import Glibc
import Platform

/// A data directory that this process only looks at: as long as the value lives, nobody takes possession of it, and
/// others may look as well. Nothing in it is made or changed for that.
final class InspectedDirectory: Sendable {
    /// The directory's path, as it was given.
    let path: String
    /// Less than 0 where nobody has ever owned the directory, so that there is nothing to lock.
    private let lock: Int32

    /// Looks whether somebody has the directory, and keeps others from taking it.
    ///
    /// - Throws: `.owned` when another process has it; else why it cannot be known.
    init(_ path: String) throws(DataDirectoryError) {
        self.path = path
        let file = path + "/" + DataDirectory.lockName
        do throws(FileFault) {
            lock = try OwnFile.open(file, O_RDONLY)
        } catch .system(ENOENT) {
            lock = -1
            return
        } catch {
            let reason =
                switch error {
                case .system(let code): String(cString: strerror(code))
                case .notAFile(let kind): "it is \(kind), and must be a file"
                }
            throw .unusable(path: path, reason: "cannot be looked at: \(file): \(reason)")
        }
        guard flock(lock, LOCK_SH | LOCK_NB) == 0 else { throw .owned(path: path, owner: Owner(readingFrom: lock)) }
    }

    deinit {
        if lock >= 0 { close(lock) }
    }
}
