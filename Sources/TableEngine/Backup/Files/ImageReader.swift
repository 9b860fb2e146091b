import DynamoModel

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
        /// The item, encoded and not encrypted.
        let content: [UInt8]
    }

    /// By which encrypted items are read; nil where nothing but the description is.
    private var seal: ItemSeal?

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

    /// Opens an image whose items are to be read.
    ///
    /// - Parameter seal: that of the store; the image has data keys of its own, too.
    /// - Throws: `backup(.damaged)`, `storage` when the items are encrypted by a key that the operator does not give.
    init(_ file: StoredFile, _ seal: ItemSeal) throws(TableError) {
        try self.init(file)
        self.seal = try seal.reader(of: image.keys, in: file.path)
    }

    /// The items of the next block of the table, in the order of their keys; nil behind the last one.
    ///
    /// - Throws: `backup(.damaged)`.
    mutating func next() throws(TableError) -> [StoredItem]? {
        let place = blocks.position
        guard let block = try blocks.next() else { return nil }
        guard block.kind != ImageFile.companionItems else {
            blocks.seek(to: place)
            return nil
        }
        guard block.kind == ImageFile.items else { throw noItems }
        var records = RecordReader(block.content)
        return try items(&records, of: image.definition)
    }

    /// The items of the next block of a companion, when `next` has given all those of the table; nil at the end.
    ///
    /// - Throws: `backup(.damaged)`.
    mutating func nextOfCompanion() throws(TableError) -> (kind: String, items: [StoredItem])? {
        guard let block = try blocks.next() else { return nil }
        var records = RecordReader(block.content)
        guard block.kind == ImageFile.companionItems, let name = records.content() else { throw noItems }
        let kind = String(decoding: name, as: UTF8.self)
        guard let companion = image.companions.first(where: { $0.kind == kind }) else { throw noItems }
        return (kind, try items(&records, of: companion.definition))
    }

    private func items(
        _ records: inout RecordReader, of definition: TableDefinition
    ) throws(TableError) -> [StoredItem] {
        var items: [StoredItem] = []
        let prefix = definition.prefix
        while !records.isAtEnd {
            guard let key = records.content(), let stored = records.content() else { throw noItems }
            guard let content = try? (seal ?? ItemSeal()).open(stored, at: prefix + key) else {
                throw .damaged(blocks.file.path, "an encrypted item in it is not what was written")
            }
            items.append(StoredItem(key: key, content: content))
        }
        return items
    }

    private var noItems: TableError { .damaged(blocks.file.path, "a block holds something else than items") }

    /// Reads all items and checks that there are as many as there should be, each whole and in its place. O(items).
    ///
    /// - Parameters:
    ///   - rest: called after each block.
    ///   - look: called with each item.
    /// - Throws: `backup(.damaged)`.
    mutating func verify(
        _ rest: () throws(TableError) -> Void = {}, _ look: (StoredItem) -> Void = { _ in }
    ) throws(TableError) {
        var check = OrderCheck(image.definition, blocks.file.path)
        while let items = try next() {
            try rest()
            for item in items {
                try check.take(item)
                look(item)
            }
        }
        try check.end(expecting: image.itemCount)
        var checks = image.companions.map { OrderCheck($0.definition, blocks.file.path) }
        while let (kind, items) = try nextOfCompanion() {
            try rest()
            guard let place = image.companions.firstIndex(where: { $0.kind == kind }) else { throw noItems }
            for item in items { try checks[place].take(item) }
        }
        for (check, companion) in zip(checks, image.companions) { try check.end(expecting: companion.itemCount) }
    }

    /// Checks that items are whole, and each in its place.
    private struct OrderCheck {
        private let definition: TableDefinition
        private let path: String
        private var count = 0
        private var last: [UInt8] = []

        init(_ definition: TableDefinition, _ path: String) {
            self.definition = definition
            self.path = path
        }

        mutating func take(_ item: StoredItem) throws(TableError) {
            count += 1
            guard let decoded = item.content.withUnsafeBytes({ try? ItemCodec.decode($0) }),
                definition.key(of: decoded).map(definition.keyBytes) == definition.prefix + item.key,
                last.precedes(item.key)
            else { throw .damaged(path, "its item \(count) is not what was written") }
            last = item.key
        }

        func end(expecting total: Int) throws(TableError) {
            guard count == total else { throw .damaged(path, "it has \(count) items and should have \(total)") }
        }
    }
}
