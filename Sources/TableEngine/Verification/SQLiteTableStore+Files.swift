import DynamoModel
import Platform
import SQLite

extension SQLiteTableStore {
    /// Looks whether the file of a store that nobody has open, and its log, still have all that was committed: SQLite
    /// drops what it cannot read of the log when it opens the file, without a word. O(log).
    ///
    /// - Parameter directory: the directory that the store is in.
    /// - Throws: `storage` of kind `corrupt`, with what the operator can do.
    package static func checkFiles(in directory: String) throws(TableError) {
        let database = "\(directory)/\(fileName)"
        let (damage, cut) = try convertingErrors { () throws(SQLiteError) in
            (try WriteAheadLogFile.damage(ofDatabase: database), try DatabaseFile.cut(ofDatabase: database))
        }
        if let damage { throw .storage(StorageFailure(damage, ofDatabase: database)) }
        guard let cut else { return }
        throw .storage(
            StorageFailure(
                kind: .corrupt,
                reason: "\(database) is cut off: it has \(cut.pages) pages of \(cut.expected)",
                hint: StorageFailure.otherCopyHint))
    }
}

extension SQLiteTableStore {
    /// Looks whether the operator's keys are those of the store in a directory that nobody has open; writes nothing.
    ///
    /// - Throws: `storage` of kind `encrypted` when they are not.
    package static func checkKeys(in directory: String, _ keys: AtRestKeys) throws(TableError) {
        try StoreFile.checkKeys(of: "\(directory)/\(fileName)", keys)
    }
}

extension StorageFailure {
    /// What to do about a file that is not whole and that nothing can make whole again.
    fileprivate static let otherCopyHint =
        "Put the file back if there is another copy of it. Else keep a copy of the data directory, and restore the "
        + "last backup into a new one (flag-server restore FILE.backup --create --data-dir NEW)"

    fileprivate init(_ damage: WriteAheadLogFile.Damage, ofDatabase database: String) {
        let lost = damage.lostFrames.map { "\($0) \($0 == 1 ? "page" : "pages") of committed writes" }
        let cut = "truncate -s \(damage.wholeBytes) \(shellQuoted(damage.path)) && rm \(shellQuoted("\(database)-shm"))"
        let without =
            damage.isConsistentWithout && damage.wholeBytes > 0
            ? "; or go on without those writes: \(cut), and see what flag-server verify says" : ""
        self.init(
            kind: .corrupt,
            reason: "\(damage.path) is damaged behind byte \(damage.wholeBytes): \(lost ?? "committed writes") "
                + "cannot be read",
            hint: Self.otherCopyHint + without)
    }
}
