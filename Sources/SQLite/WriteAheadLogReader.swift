import Glibc
import Platform

/// The frames of a log, one after the other.
struct WriteAheadLogReader {
    /// What was found in a log.
    struct Frames {
        /// How many frames there are up to the last that ends a transaction, before the first that is not whole.
        var committed = 0
        /// How many frames that end a transaction stand behind that.
        var commitsBehind = 0
        /// The pages that the committed frames hold.
        var pages: Set<UInt32> = []
        /// How many pages the database has by the last of them, nil without any.
        var databasePages: Int?
    }

    /// Whether the first bytes are what was written.
    let isHeaderWhole: Bool
    /// What all frames of this log begin with; others are left from before it began anew.
    let salts: [UInt8]
    private let file: LogFile
    /// How many bytes a page has.
    let pageBytes: Int
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
        var uncommitted: Set<UInt32> = []
        while true {
            let frame = try file.read(Self.frameHeaderBytes + pageBytes, at: end(of: number))
            guard frame.count == Self.frameHeaderBytes + pageBytes else { return frames }
            number += 1
            let stored = WriteAheadLogChecksum(frame, at: 16)
            let computed = sum.adding(frame[..<8], isBigEndian: isBigEndian)
                .adding(frame[Self.frameHeaderBytes...], isBigEndian: isBigEndian)
            let isGood = frame[8..<16].elementsEqual(salts) && computed == stored
            if !isGood { isWhole = false }
            if isWhole { uncommitted.insert(Self.number(frame, 0)) }
            let databasePages = Self.number(frame, 4)
            if isGood, databasePages != 0 {
                if isWhole {
                    frames.committed = number
                    frames.databasePages = Int(databasePages)
                    frames.pages.formUnion(uncommitted)
                    uncommitted = []
                } else {
                    frames.commitsBehind += 1
                }
            }
            sum = stored
        }
    }

    private static func number(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 << 8 | UInt32(bytes[offset + $1]) }
    }
}

/// A file that is read in pieces.
final class LogFile {
    private let path: String
    private let descriptor: Int32

    /// Opens a file; nil when there is none.
    init?(path: String) throws(SQLiteError) {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        if descriptor >= 0 { return }
        if errno == ENOENT { return nil }
        throw failure(errno)
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// How many bytes it has.
    func size() throws(SQLiteError) -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure(errno) }
        return Int(status.st_size)
    }

    /// Reads up to `count` bytes at a place: fewer only where the file ends.
    func read(_ count: Int, at offset: Int) throws(SQLiteError) -> [UInt8] {
        do throws(FileFault) {
            return try readWhole(descriptor, count, at: offset)
        } catch {
            throw failure(error.code)
        }
    }

    private func failure(_ code: Int32) -> SQLiteError {
        // 10 is SQLITE_IOERR.
        SQLiteError(operation: "read", path: path, extendedCode: 10, message: "disk I/O error", systemError: code)
    }
}

/// The checksum of a log, which goes on from frame to frame.
struct WriteAheadLogChecksum: Equatable {
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
