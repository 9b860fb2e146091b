import Bytes
import DynamoModel

/// The form that all files of backups have: eight bytes that say what it is, then blocks.
///
/// A block is its checksum (CRC-32 of all that follows), the length of its content (both 4 bytes, the lowest first),
/// its kind (1 byte) and its content. A block that was written only in part is told by its checksum.
enum BlockFile {
    /// What a file is, by its first eight bytes.
    enum Kind: String {
        /// The items of a table at one moment.
        case image = "TBLSIMG1"
        /// Changes of a table, one after another.
        case log = "TBLSLOG1"
        /// Sorted index entries, on the way into a table.
        case run = "TBLSRUN1"
    }

    /// How many bytes of content a block is filled with, more or less.
    static let contentBytes = 256 * 1024
    /// How many bytes of content a block has at most: more is a sign of damage.
    static let contentBytesMax = 16 * 1024 * 1024
    /// How many bytes of content a block has at most that is looked for behind damage: what a block is filled with, and
    /// the largest item.
    static let contentBytesFound = 1024 * 1024
    /// How many bytes stand before a block's content.
    static let headBytes = 9
    /// Where the first block begins.
    static let start: Int = 8
}

/// Writes blocks, one behind the other.
struct BlockWriter {
    /// The file.
    let file: StoredFile
    /// Where the next block will begin.
    private(set) var position: Int

    /// Begins a file.
    init(_ file: StoredFile, _ kind: BlockFile.Kind) throws(TableError) {
        self.file = file
        position = BlockFile.start
        try Self.write(Array(kind.rawValue.utf8), to: file, at: 0)
    }

    /// Goes on with a file whose blocks end at `position`.
    init(continuing file: StoredFile, at position: Int) {
        self.file = file
        self.position = position
    }

    /// Writes a block. It is on disk only after the file's `synchronize`.
    mutating func append(_ kind: UInt8, _ content: [UInt8]) throws(TableError) {
        var block: [UInt8] = []
        block.reserveCapacity(BlockFile.headBytes + content.count)
        block.append(contentsOf: [0, 0, 0, 0])
        LittleEndian.append(UInt32(content.count), to: &block)
        block.append(kind)
        block.append(contentsOf: content)
        let checksum = block.withUnsafeBytes { Checksum.crc32(UnsafeRawBufferPointer(rebasing: $0[4...])) }
        for index in 0..<4 { block[index] = UInt8(truncatingIfNeeded: checksum >> (8 * UInt32(index))) }
        try Self.write(block, to: file, at: position)
        position += block.count
    }

    /// Writes bytes that are no block, and ends the file with them.
    func end(with bytes: [UInt8]) throws(TableError) { try Self.write(bytes, to: file, at: position) }

    private static func write(_ bytes: [UInt8], to file: StoredFile, at position: Int) throws(TableError) {
        // A closure with a typed error does not pass through `withUnsafeBytes` of this compiler's library.
        let result = bytes.withUnsafeBytes { buffer -> Result<Void, TableError> in
            do throws(TableError) { return .success(try file.write(buffer, at: position)) } catch {
                return .failure(error)
            }
        }
        try result.get()
    }
}

/// Whole numbers of fixed size, the lowest byte first.
enum LittleEndian {
    /// Appends four bytes.
    static func append(_ value: UInt32, to bytes: inout [UInt8]) {
        for shift in stride(from: UInt32(0), to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    /// Appends eight bytes.
    static func append(_ value: UInt64, to bytes: inout [UInt8]) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    /// The number in the four bytes at `offset`, which must exist.
    static func uint32(_ bytes: [UInt8], at offset: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << (8 * UInt32($1)) }
    }

    /// The number in the eight bytes at `offset`, which must exist.
    static func uint64(_ bytes: [UInt8], at offset: Int) -> UInt64 {
        (0..<8).reduce(0) { $0 | UInt64(bytes[offset + $1]) << (8 * UInt64($1)) }
    }
}
