import Glibc

/// A data directory that this process only looks at: as long as the value lives, nobody takes possession of it, and
/// others may look as well. Nothing in it is made or changed for that.
final class InspectedDirectory: Sendable {
    /// The directory's path, as it was given.
    let path: String
    /// Less than 0 where nobody has ever owned the directory, so that there is nothing to lock.
    private let lock: Int32

    /// Looks whether somebody has the directory, and keeps others from taking it.
    ///
    /// - Throws: `.owned` when another process has it; else why it cannot be known, or what is wrong with it.
    init(_ path: String, for command: String) throws(DataDirectoryError) {
        let inspection = try DataDirectoryInspection(of: try DataDirectory.resolve(path))
        self.path = inspection.path
        lock = try DataDirectory.openLock(path: inspection.path, creating: false)
        if lock >= 0, flock(lock, LOCK_SH | LOCK_NB) != 0 {
            throw .owned(path: path, owner: Owner(readingFrom: lock))
        }
        _ = try inspection.check(for: command)
    }

    deinit {
        if lock >= 0 { close(lock) }
    }
}
