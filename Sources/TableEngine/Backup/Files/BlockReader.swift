import Bytes
import DynamoModel

/// Reads blocks, one after the other.
struct BlockReader {
    /// The file.
    let file: StoredFile
    /// Where the next block begins.
    private(set) var position: Int
    /// Where reading ends.
    let end: Int

    /// A block.
    struct Block {
        let kind: UInt8
        let content: [UInt8]
    }

    /// Reads the blocks of a file up to `end`, by default the end of the file.
    ///
    /// - Throws: `backup(.damaged)` when it is a file of another kind.
    init(_ file: StoredFile, _ kind: BlockFile.Kind, end: Int? = nil) throws(TableError) {
        try self.init(file, end: end)
        guard try isKind(kind) else { throw .damaged(file.path, "it does not begin as such a file does") }
    }

    /// Reads the blocks of a file of whatever kind.
    init(_ file: StoredFile, end: Int? = nil) throws(TableError) {
        self.file = file
        position = BlockFile.start
        if let end { self.end = end } else { self.end = max(try file.size(), BlockFile.start) }
    }

    /// Whether the file begins as one of this kind does.
    func isKind(_ kind: BlockFile.Kind) throws(TableError) -> Bool {
        try file.read(BlockFile.start, at: 0) == Array(kind.rawValue.utf8)
    }

    /// The next block, nil at the end.
    ///
    /// - Throws: `backup(.damaged)` when it is not what was written; `position` is where it begins.
    mutating func next() throws(TableError) -> Block? {
        if position == end { return nil }
        guard let block = try block(at: position) else { throw damaged }
        position += BlockFile.headBytes + block.content.count
        return block
    }

    /// Goes to a block that begins at `position`.
    mutating func seek(to position: Int) { self.position = position }

    private var damaged: TableError {
        .damaged(file.path, "the block at byte \(position) is not what was written")
    }

    /// The block that begins at a place, nil when there is none that checks.
    private func block(at position: Int) throws(TableError) -> Block? {
        let head = try file.read(BlockFile.headBytes, at: position)
        guard head.count == BlockFile.headBytes, position + BlockFile.headBytes <= end else { return nil }
        let (checksum, length) = (LittleEndian.uint32(head, at: 0), Int(LittleEndian.uint32(head, at: 4)))
        guard length <= BlockFile.contentBytesMax, position + BlockFile.headBytes + length <= end else { return nil }
        let checked = try file.read(BlockFile.headBytes - 4 + length, at: position + 4)
        guard checked.count == BlockFile.headBytes - 4 + length, Checksum.crc32(checked) == checksum else {
            return nil
        }
        return Block(kind: head[8], content: Array(checked[(BlockFile.headBytes - 4)...]))
    }
}

// MARK: - Behind damage

extension BlockReader {
    /// What there is behind a block that is not what was written.
    enum Continuation: Equatable {
        /// Another block, where this one's length says that it ends.
        case next
        /// Another block, somewhere further on.
        case found
        /// Nothing: no block begins anywhere behind it.
        case nothing
        /// It was looked for too long. What follows is full of what could be blocks and is none.
        case unknown
    }

    /// How many bytes are checked in vain at most before a search is given up, and as how many a check counts at least:
    /// a file full of heads must not take minutes.
    private static let searchBytesMax = 256 * 1024 * 1024
    private static let checkBytesMin = 4096
    private static let windowBytes = 1024 * 1024

    /// Goes on behind the damaged block at `position`, to the next place from which blocks are what was written.
    ///
    /// What stands there was not made to be found: any bytes could look like a block's head, also those of an item. So
    /// a block counts only when it checks, and another one behind it, or the end.
    ///
    /// - Parameter kinds: the kinds of blocks that there are in such a file.
    mutating func skipDamage(_ kinds: ClosedRange<UInt8>) throws(TableError) -> Continuation {
        let head = try file.read(BlockFile.headBytes, at: position)
        if head.count == BlockFile.headBytes, position + BlockFile.headBytes <= end {
            let next = position + BlockFile.headBytes + Int(LittleEndian.uint32(head, at: 4))
            if next < end, let block = try block(at: next), kinds.contains(block.kind) {
                position = next
                return .next
            }
        }
        var checked = 0
        var start = position + 1
        while start + BlockFile.headBytes <= end {
            let window = try file.read(min(Self.windowBytes, end - start), at: start)
            guard window.count >= BlockFile.headBytes else { break }
            for offset in 0...(window.count - BlockFile.headBytes) where kinds.contains(window[offset + 8]) {
                let length = Int(LittleEndian.uint32(window, at: offset + 4))
                let next = start + offset + BlockFile.headBytes + length
                guard (1...BlockFile.contentBytesFound).contains(length), next <= end else { continue }
                checked += max(length, Self.checkBytesMin)
                guard checked <= Self.searchBytesMax else {
                    position = end
                    return .unknown
                }
                guard try block(at: start + offset) != nil else { continue }
                if next == end {
                    position = start + offset
                    return .found
                }
                if let following = try block(at: next), kinds.contains(following.kind) {
                    position = start + offset
                    return .found
                }
            }
            start += window.count - BlockFile.headBytes + 1
        }
        position = end
        return .nothing
    }
}
