/// The file of a database that nobody has open, looked at before SQLite does.
package enum DatabaseFile {
    /// Pages that are neither in the file nor in its log.
    package struct Cut: Sendable, Equatable {
        /// How many pages the file has.
        package let pages: Int
        /// How many pages the database should have.
        package let expected: Int
    }

    /// Looks whether all pages of a database are there. O(log), and not of the file.
    ///
    /// SQLite itself looks when there is no log, and otherwise goes on until somebody asks for a page that is gone.
    ///
    /// - Parameter path: the database's file.
    /// - Returns: nil when they are, as far as anything tells.
    /// - Throws: `inputOutput` when the files cannot be read.
    package static func cut(ofDatabase path: String) throws(SQLiteError) -> Cut? {
        guard let file = try LogFile(path: path), let log = try WriteAheadLogReader(path: "\(path)-wal"),
            log.isHeaderWhole
        else { return nil }
        let frames = try log.read()
        guard let expected = frames.databasePages else { return nil }
        let pages = try file.size() / log.pageBytes
        guard pages < expected else { return nil }
        // A database grows in its log first.
        let isWhole = (pages..<expected).allSatisfy { frames.pages.contains(UInt32(truncatingIfNeeded: $0 + 1)) }
        return isWhole ? nil : Cut(pages: pages, expected: expected)
    }
}
