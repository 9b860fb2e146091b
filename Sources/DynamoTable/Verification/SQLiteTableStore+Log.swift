import Platform
import SQLite

extension SQLiteTableStore {
    /// Looks whether the log of a store that nobody has open still has all that was committed to it: SQLite drops what
    /// it cannot read there when it opens the file, without a word. O(log).
    ///
    /// - Parameter directory: the directory that the store is in.
    /// - Throws: `storage` of kind `corrupt`, with what the operator can do.
    package static func checkLog(in directory: String) throws(TableError) {
        let database = "\(directory)/\(fileName)"
        let found = try convertingErrors { () throws(SQLiteError) in
            try WriteAheadLogFile.damage(ofDatabase: database)
        }
        guard let damage = found else { return }
        let lost = damage.lostFrames.map { "\($0) \($0 == 1 ? "page" : "pages") of committed writes" }
        let cut = "truncate -s \(damage.wholeBytes) \(shellQuoted(damage.path)) && rm \(shellQuoted("\(database)-shm"))"
        let without =
            damage.isConsistentWithout && damage.wholeBytes > 0
            ? "; or go on without those writes: \(cut), and see what flag-server verify says" : ""
        throw .storage(
            StorageFailure(
                kind: .corrupt,
                reason: "\(damage.path) is damaged behind byte \(damage.wholeBytes): "
                    + "\(lost ?? "committed writes") cannot be read",
                hint: "Put the file back if there is another copy of it. Else keep a copy of the data directory, and "
                    + "restore the last backup into a new one (flag-server restore FILE.backup --data-dir NEW)"
                    + without))
    }
}
