import DynamoModel

/// Sorts index entries, more than fit into memory if need be: sorted parts go to files, which are then merged.
struct EntrySorter {
    /// An entry: its key, and the row of its item.
    struct Entry {
        let key: [UInt8]
        let row: Int64
    }

    private let runBytesMax: Int
    private let makeFile: (Int) throws(TableError) -> StoredFile
    private var bytes: [UInt8] = []
    private var places: [Place] = []
    private var runs: [StoredFile] = []

    private struct Place {
        let offset: Int
        let count: Int
        let row: Int64
    }

    /// - Parameters:
    ///   - runBytesMax: how many bytes of keys are kept in memory.
    ///   - makeFile: makes an empty file for the part of this number.
    init(runBytesMax: Int = 64 * 1024 * 1024, makeFile: @escaping (Int) throws(TableError) -> StoredFile) {
        self.runBytesMax = runBytesMax
        self.makeFile = makeFile
    }

    /// Takes an entry.
    mutating func add(key: [UInt8], row: Int64) throws(TableError) {
        places.append(Place(offset: bytes.count, count: key.count, row: row))
        bytes.append(contentsOf: key)
        if bytes.count >= runBytesMax { try spill() }
    }

    /// Gives all entries, in the order of their keys, in groups of at most `count`.
    mutating func drain(_ count: Int, _ take: ([Entry]) throws(TableError) -> Void) throws(TableError) {
        var group: [Entry] = []
        if runs.isEmpty {
            sort()
            for place in places {
                group.append(Entry(key: key(place), row: place.row))
                if group.count == count {
                    try take(group)
                    group.removeAll(keepingCapacity: true)
                }
            }
        } else {
            try spill()
            var readers: [RunReader] = []
            for run in runs { readers.append(try RunReader(run)) }
            while let next = Self.first(readers) {
                guard let entry = readers[next].head else { break }
                group.append(entry)
                try readers[next].advance()
                if group.count == count {
                    try take(group)
                    group.removeAll(keepingCapacity: true)
                }
            }
        }
        if !group.isEmpty { try take(group) }
    }

    /// The reader whose entry comes first, nil when all are at their end. O(readers).
    private static func first(_ readers: [RunReader]) -> Int? {
        var first: (index: Int, key: [UInt8])?
        for (index, reader) in readers.enumerated() {
            guard let key = reader.head?.key else { continue }
            if first.map({ key.precedes($0.key) }) ?? true { first = (index, key) }
        }
        return first?.index
    }

    private func key(_ place: Place) -> [UInt8] { Array(bytes[place.offset..<(place.offset + place.count)]) }

    private mutating func sort() {
        bytes.withUnsafeBytes { buffer in
            places.sort { left, right in
                let first = UnsafeRawBufferPointer(rebasing: buffer[left.offset..<(left.offset + left.count)])
                let second = UnsafeRawBufferPointer(rebasing: buffer[right.offset..<(right.offset + right.count)])
                return compareLexicographically(first, second) < 0
            }
        }
    }

    private mutating func spill() throws(TableError) {
        if places.isEmpty { return }
        sort()
        let file = try makeFile(runs.count)
        var blocks = try BlockWriter(file, .run)
        var content: [UInt8] = []
        for place in places {
            RecordWriter.append(place.row, to: &content)
            RecordWriter.append(bytes[place.offset..<(place.offset + place.count)], to: &content)
            if content.count >= BlockFile.contentBytes {
                try blocks.append(0, content)
                content.removeAll(keepingCapacity: true)
            }
        }
        if !content.isEmpty { try blocks.append(0, content) }
        runs.append(file)
        places.removeAll(keepingCapacity: true)
        bytes.removeAll(keepingCapacity: true)
    }
}

/// Reads the sorted entries in a file.
private struct RunReader {
    private var blocks: BlockReader
    private var records = RecordReader([])

    /// The entry that comes next, nil at the end.
    private(set) var head: EntrySorter.Entry?

    init(_ file: StoredFile) throws(TableError) {
        blocks = try BlockReader(file, .run)
        try advance()
    }

    /// Goes to the next entry.
    mutating func advance() throws(TableError) {
        head = nil
        if records.isAtEnd {
            guard let block = try blocks.next() else { return }
            records = RecordReader(block.content)
        }
        guard let row = records.number(), let key = records.content() else {
            throw .damaged(blocks.file.path, "a block holds something else than entries")
        }
        head = EntrySorter.Entry(key: key, row: row)
    }
}
