/// Reads the file of an image.
struct ImageReader {
    /// What the image is of.
    let image: TableImage
    /// How many bytes the file has.
    let sizeBytes: Int

    private var blocks: BlockReader

    /// An item of an image.
    struct StoredItem {
        /// The bytes of its key, without the table's space.
        let key: [UInt8]
        /// The item as it is stored.
        let content: [UInt8]
    }

    /// Opens an image; reads only its end.
    ///
    /// - Throws: `backup(.damaged)`.
    init(_ file: StoredFile) throws(TableError) {
        sizeBytes = try file.size()
        let tail = try file.read(16, at: max(0, sizeBytes - 16))
        guard tail.count == 16, Array(tail[8...]) == ImageFile.end else {
            throw .damaged(file.path, "it ends too early")
        }
        let place = LittleEndian.uint64(tail, at: 0)
        guard place >= UInt64(BlockFile.start), place < UInt64(sizeBytes - 16) else {
            throw .damaged(file.path, "its end is not what was written")
        }
        var description = try BlockReader(file, .image, end: sizeBytes - 16)
        description.seek(to: Int(place))
        guard let block = try description.next(), block.kind == ImageFile.description,
            let item = block.content.withUnsafeBytes({ try? ItemCodec.decode($0) }),
            let image = TableImage(item: item)
        else { throw .damaged(file.path, "its description cannot be read") }
        self.image = image
        blocks = try BlockReader(file, .image, end: Int(place))
    }

    /// The items of the next block, in the order of their keys; nil at the end.
    ///
    /// - Throws: `backup(.damaged)`.
    mutating func next() throws(TableError) -> [StoredItem]? {
        guard let block = try blocks.next() else { return nil }
        var records = RecordReader(block.content)
        var items: [StoredItem] = []
        while !records.isAtEnd {
            guard block.kind == ImageFile.items, let key = records.content(), let content = records.content() else {
                throw .damaged(blocks.file.path, "a block holds something else than items")
            }
            items.append(StoredItem(key: key, content: content))
        }
        return items
    }

    /// Reads all items and checks that there are as many as there should be, each whole and in its place. O(items).
    ///
    /// - Parameters:
    ///   - rest: called after each block.
    ///   - look: called with each item.
    /// - Throws: `backup(.damaged)`.
    mutating func verify(
        _ rest: () throws(TableError) -> Void = {}, _ look: (StoredItem) -> Void = { _ in }
    ) throws(TableError) {
        var count = 0
        var last: [UInt8] = []
        let definition = image.definition
        let prefix = definition.prefix
        while let items = try next() {
            try rest()
            for item in items {
                count += 1
                guard let decoded = item.content.withUnsafeBytes({ try? ItemCodec.decode($0) }),
                    definition.key(of: decoded).map(definition.keyBytes) == prefix + item.key, last.precedes(item.key)
                else { throw .damaged(blocks.file.path, "its item \(count) is not what was written") }
                last = item.key
                look(item)
            }
        }
        guard count == image.itemCount else {
            throw .damaged(blocks.file.path, "it has \(count) items and should have \(image.itemCount)")
        }
    }
}
