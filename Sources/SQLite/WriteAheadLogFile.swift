import Glibc
import Platform

/// The write-ahead log of a database that nobody has open, looked at before SQLite does.
///
/// SQLite takes whatever follows the first frame that is not whole for a write that was under way in a crash, and drops
/// it without a word. Frames of transactions that were committed may be among it when the file was damaged: then, what
/// was said to be written is not there, or pages of different times stand beside each other. Two things tell:
///
/// - the log's index (`-shm`), which says how many frames were committed. It survives the end of the process, not that
///   of the system;
/// - whole frames of several transactions behind one that is not: SQLite begins a transaction's frames only after those
///   of the one before are on disk.
///
/// Source: sqlite.org/fileformat2.html#the_write_ahead_log and sqlite.org/walformat.html#the_wal_index_file_format.
package struct WriteAheadLogFile {
    /// Frames that were committed and cannot be read.
    package struct Damage: Sendable, Equatable {
        /// The file.
        package let path: String
        /// The byte at which the last frames end that can be read as they were committed.
        package let wholeBytes: Int
        /// How many frames are lost; nil where nothing says how many there were.
        package let lostFrames: Int?
        /// Whether the database is of one time without what is lost: SQLite has not moved any of it there.
        package let isConsistentWithout: Bool
    }

    private let path: String
    private let log: WriteAheadLogReader?
    private let index: WriteAheadLogIndex?

    /// Looks at the log of a database. O(log).
    ///
    /// - Parameter database: the path of the database's file.
    /// - Returns: nil when all that was committed is in it, as far as anything tells.
    /// - Throws: `inputOutput` when it cannot be read.
    package static func damage(ofDatabase database: String) throws(SQLiteError) -> Damage? {
        // The index first: while somebody has the database open, the log has at least what the index says.
        let index = WriteAheadLogIndex(path: "\(database)-shm")
        let path = "\(database)-wal"
        return try WriteAheadLogFile(path: path, log: WriteAheadLogReader(path: path), index: index).damage()
    }

    private func damage() throws(SQLiteError) -> Damage? {
        guard let log, log.isHeaderWhole else { return damageOfHeader() }
        let frames = try log.read()
        if let index, index.salts == log.salts {
            // In the file of the database are all frames up to `moved`; from fewer than those, SQLite would go back.
            guard frames.committed < index.committed,
                frames.committed > 0 || index.moved < index.committed
            else { return nil }
            return Damage(
                path: path, wholeBytes: log.end(of: frames.committed), lostFrames: index.committed - frames.committed,
                isConsistentWithout: index.moved <= frames.committed)
        }
        guard frames.commitsBehind > 1 else { return nil }
        return Damage(
            path: path, wholeBytes: log.end(of: frames.committed), lostFrames: nil, isConsistentWithout: false)
    }

    /// Without its first bytes, nothing of a log can be read; nor is one that is gone.
    private func damageOfHeader() -> Damage? {
        guard let index, index.moved < index.committed else { return nil }
        return Damage(
            path: path, wholeBytes: 0, lostFrames: index.committed - index.moved, isConsistentWithout: index.moved == 0)
    }
}

/// What the index of a log says of it.
struct WriteAheadLogIndex {
    /// How many frames were committed.
    let committed: Int
    /// How many of them were moved into the file of the database, on disk.
    let moved: Int
    /// Which log it is the index of.
    let salts: [UInt8]

    private static let headBytes = 48

    /// Reads what the index begins with; nil when there is none, or it is not whole.
    init?(path: String) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        let count = 2 * Self.headBytes + 4
        guard let bytes = try? readWhole(descriptor, count, at: 0), bytes.count == count else { return nil }
        // The head stands there twice; a crash may have come between the two.
        let heads = [0, Self.headBytes].map { Array(bytes[$0..<($0 + Self.headBytes)]) }.filter(Self.isWhole)
        guard let head = heads.max(by: { Self.number($0, 16) < Self.number($1, 16) }) else { return nil }
        committed = Int(Self.number(head, 16))
        moved = Int(Self.number(bytes, 2 * Self.headBytes))
        salts = Array(head[32..<40])
    }

    private static func isWhole(_ head: [UInt8]) -> Bool {
        let sum = WriteAheadLogChecksum().adding(head[..<40], isBigEndian: false)
        return number(head, 0) == 3_007_000 && head[12] == 1 && sum.low == number(head, 40)
            && sum.high == number(head, 44)
    }

    /// Numbers are as the machine has them: the lowest byte first on all that this program runs on.
    private static func number(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << (8 * UInt32($1)) }
    }
}
