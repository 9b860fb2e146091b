import Glibc

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
    private let log: FrameReader?
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
        return try WriteAheadLogFile(path: path, log: FrameReader(path: path), index: index).damage()
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

/// The frames of a log, one after the other.
private struct FrameReader {
    /// What was found in a log.
    struct Frames {
        /// How many frames there are up to the last that ends a transaction, before the first that is not whole.
        var committed = 0
        /// How many frames that end a transaction stand behind that.
        var commitsBehind = 0
    }

    /// Whether the first bytes are what was written.
    let isHeaderWhole: Bool
    /// What all frames of this log begin with; others are left from before it began anew.
    let salts: [UInt8]
    private let file: LogFile
    private let pageBytes: Int
    private let isBigEndian: Bool
    private let headerSum: WriteAheadLogChecksum

    private static let headerBytes = 32
    private static let frameHeaderBytes = 24

    /// Reads a file; nil when there is none, or too little for anything.
    init?(path: String) throws(SQLiteError) {
        guard let file = try LogFile(path: path) else { return nil }
        let bytes = try file.read(Self.headerBytes, at: 0)
        guard bytes.count == Self.headerBytes else { return nil }
        self.file = file
        let magic = Self.number(bytes, 0)
        isBigEndian = magic & 1 == 1
        headerSum = WriteAheadLogChecksum().adding(bytes[..<24], isBigEndian: isBigEndian)
        salts = Array(bytes[16..<24])
        // A page of 65,536 bytes is written as 1 in the database, and as it is in the log.
        let pageBytes = Int(Self.number(bytes, 8))
        isHeaderWhole =
            magic & ~1 == 0x377F_0682 && headerSum == WriteAheadLogChecksum(bytes, at: 24)
            && (512...65_536).contains(pageBytes) && pageBytes.nonzeroBitCount == 1
        self.pageBytes = pageBytes
    }

    /// Where a frame ends.
    func end(of frame: Int) -> Int { Self.headerBytes + frame * (Self.frameHeaderBytes + pageBytes) }

    /// Reads all frames, those behind the first damage, too: each is checked against what the one before says.
    func read() throws(SQLiteError) -> Frames {
        var frames = Frames()
        var number = 0
        var sum = headerSum
        var isWhole = true
        while true {
            let frame = try file.read(Self.frameHeaderBytes + pageBytes, at: end(of: number))
            guard frame.count == Self.frameHeaderBytes + pageBytes else { return frames }
            number += 1
            let stored = WriteAheadLogChecksum(frame, at: 16)
            let computed = sum.adding(frame[..<8], isBigEndian: isBigEndian)
                .adding(frame[Self.frameHeaderBytes...], isBigEndian: isBigEndian)
            let isGood = frame[8..<16].elementsEqual(salts) && computed == stored
            if !isGood { isWhole = false }
            if isGood, Self.number(frame, 4) != 0 {
                if isWhole { frames.committed = number } else { frames.commitsBehind += 1 }
            }
            sum = stored
        }
    }

    private static func number(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 << 8 | UInt32(bytes[offset + $1]) }
    }
}

/// A file that is read in pieces.
private final class LogFile {
    private let path: String
    private let descriptor: Int32

    /// Opens a file; nil when there is none.
    init?(path: String) throws(SQLiteError) {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        if descriptor >= 0 { return }
        if errno == ENOENT { return nil }
        throw failure
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Reads up to `count` bytes at a place: fewer only where the file ends.
    func read(_ count: Int, at offset: Int) throws(SQLiteError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let part = bytes.withUnsafeMutableBytes {
                pread(descriptor, $0.baseAddress.map { $0 + filled }, count - filled, offset + filled)
            }
            if part == 0 { break }
            if part > 0 { filled += part } else if errno != EINTR { throw failure }
        }
        return Array(bytes[..<filled])
    }

    private var failure: SQLiteError {
        // 10 is SQLITE_IOERR.
        SQLiteError(operation: "read", path: path, extendedCode: 10, message: "disk I/O error", systemError: errno)
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
        var bytes = [UInt8](repeating: 0, count: 2 * Self.headBytes + 4)
        guard pread(descriptor, &bytes, bytes.count, 0) == bytes.count else { return nil }
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

/// The checksum of a log, which goes on from frame to frame.
private struct WriteAheadLogChecksum: Equatable {
    var low: UInt32 = 0
    var high: UInt32 = 0

    init() {}

    /// The checksum that stands at a place.
    init(_ bytes: [UInt8], at offset: Int) {
        low = (0..<4).reduce(0) { $0 << 8 | UInt32(bytes[offset + $1]) }
        high = (4..<8).reduce(0) { $0 << 8 | UInt32(bytes[offset + $1]) }
    }

    /// The checksum with more bytes, a multiple of eight.
    func adding(_ bytes: ArraySlice<UInt8>, isBigEndian: Bool) -> WriteAheadLogChecksum {
        var sum = self
        bytes.withUnsafeBytes { buffer in
            for offset in stride(from: 0, to: buffer.count - 7, by: 8) {
                let words = (
                    buffer.loadUnaligned(fromByteOffset: offset, as: UInt32.self),
                    buffer.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)
                )
                sum.low &+= (isBigEndian ? words.0.bigEndian : words.0.littleEndian) &+ sum.high
                sum.high &+= (isBigEndian ? words.1.bigEndian : words.1.littleEndian) &+ sum.low
            }
        }
        return sum
    }
}
