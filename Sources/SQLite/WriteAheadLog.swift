import CSQLite
import Glibc
import Platform

/// The write-ahead log of a database, read past SQLite.
///
/// SQLite checks the checksums of its log only when it recovers one, which it does not do while somebody has the
/// database open. Source: sqlite.org/walformat.html.
package struct WriteAheadLog {
    private let connection: DatabaseConnection
    private let log: Int32

    /// What the index says of the log: how far it was committed.
    private struct Committed: Equatable {
        let frames: Int
        let checksum: Checksum
        let salts: [UInt8]
    }

    /// Two sums of 32 bits over words of 32 bits.
    private struct Checksum: Equatable {
        var first: UInt32 = 0
        var second: UInt32 = 0

        mutating func add(_ bytes: UnsafeRawBufferPointer, isBigEndian: Bool) {
            for offset in stride(from: 0, to: bytes.count, by: 8) {
                first &+= Self.word(bytes, offset, isBigEndian) &+ second
                second &+= Self.word(bytes, offset + 4, isBigEndian) &+ first
            }
        }

        static func word(_ bytes: UnsafeRawBufferPointer, _ offset: Int, _ isBigEndian: Bool) -> UInt32 {
            let word = bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
            return isBigEndian ? UInt32(bigEndian: word) : UInt32(littleEndian: word)
        }
    }

    /// Checks that the log of a database holds everything that was committed to it since it began anew, as it was
    /// written: each frame with its checksum. O(log). Others may write meanwhile.
    ///
    /// - Parameters:
    ///   - connection: one of the database, in no transaction.
    ///   - isCancelled: asked now and then whether to give up, which is no error.
    /// - Throws: `corrupt` when it does not, `inputOutput` when it cannot be read.
    package static func check(
        through connection: DatabaseConnection, isCancelled: () -> Bool = { false }
    ) throws(SQLiteError) {
        // A connection that has read nothing yet has not opened the log.
        try connection.statement("SELECT 1 FROM sqlite_schema LIMIT 1").run("check")
        // Nobody locks the log itself. To close the database or the index here would let go of SQLite's locks on them.
        let log = open(connection.path + "-wal", O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        defer { if log >= 0 { close(log) } }
        let openError = errno
        let checked = WriteAheadLog(connection: connection, log: log)
        while case let committed = try checked.committed(), committed.frames > 0, !isCancelled() {
            guard log >= 0 else { throw checked.failure(.system(openError)) }
            if try checked.holds(committed, isCancelled) { return }
            // Somebody may have begun the log anew in the meantime.
            guard try checked.committed() != committed else { throw checked.damage }
        }
    }

    /// What was committed.
    private func committed() throws(SQLiteError) -> Committed {
        var header = try connection.logIndex(bytes: 96)
        // It begins with two copies of its header, which differ while one is being written.
        for _ in 0..<1000 where header[..<48] != header[48...] { header = try connection.logIndex(bytes: 96) }
        return header.withUnsafeBytes { bytes in
            func word(_ offset: Int) -> UInt32 { bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self) }
            return Committed(
                frames: Int(word(16)), checksum: Checksum(first: word(24), second: word(28)),
                salts: Array(bytes[32..<40]))
        }
    }

    /// Whether the frames up to the last that was committed are in the log.
    private func holds(_ committed: Committed, _ isCancelled: () -> Bool) throws(SQLiteError) -> Bool {
        var header = [UInt8](repeating: 0, count: 32)
        guard try read(log, at: 0, into: &header), Array(header[16..<24]) == committed.salts else { return false }
        let isBigEndian = header[3] & 1 == 1
        let pageSize = header.withUnsafeBytes { Int(Checksum.word($0, 8, true)) }
        // What is no size of a page would have the rest read as one frame.
        guard (512...65536).contains(pageSize) else { return false }
        var sum = Checksum()
        header.withUnsafeBytes { sum.add(UnsafeRawBufferPointer(rebasing: $0[..<24]), isBigEndian: isBigEndian) }
        guard header.withUnsafeBytes({ Self.checksum($0, at: 24) }) == sum else { return false }
        var frame = [UInt8](repeating: 0, count: 24 + pageSize)
        for number in 0..<committed.frames {
            if isCancelled() { return true }
            guard try read(log, at: 32 + number * frame.count, into: &frame) else { return false }
            let isRight = frame.withUnsafeBytes { bytes in
                sum.add(UnsafeRawBufferPointer(rebasing: bytes[..<8]), isBigEndian: isBigEndian)
                sum.add(UnsafeRawBufferPointer(rebasing: bytes[24...]), isBigEndian: isBigEndian)
                return bytes[8..<16].elementsEqual(committed.salts) && Self.checksum(bytes, at: 16) == sum
            }
            guard isRight else { return false }
        }
        return sum == committed.checksum
    }

    private static func checksum(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Checksum {
        Checksum(first: Checksum.word(bytes, offset, true), second: Checksum.word(bytes, offset + 4, true))
    }

    /// Fills `bytes`; false when the file ends before.
    private func read(_ file: Int32, at offset: Int, into bytes: inout [UInt8]) throws(SQLiteError) -> Bool {
        do throws(FileFault) {
            let read = try readWhole(file, bytes.count, at: offset)
            guard read.count == bytes.count else { return false }
            bytes = read
            return true
        } catch {
            throw failure(error)
        }
    }

    private func failure(_ fault: FileFault) -> SQLiteError {
        SQLiteError(
            operation: "check the log of", path: connection.path, extendedCode: SQLiteError.unreadable,
            message: String(cString: sqlite3_errstr(SQLITE_IOERR)), systemError: fault.code)
    }

    private var damage: SQLiteError {
        SQLiteError(
            operation: "go on writing", path: connection.path, extendedCode: SQLITE_CORRUPT,
            message: "its write-ahead log does not hold what was committed")
    }
}
