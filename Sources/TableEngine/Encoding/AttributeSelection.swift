import DynamoModel
import Glibc

/// Which attributes of stored items are read. Their names are in the order in which items are stored, so that one walk
/// along both finds them.
struct AttributeSelection {
    /// One of them, with its bytes at hand.
    struct Name {
        let name: AttributeName
        private let bytes: [UInt8]

        init(_ name: AttributeName) {
            self.name = name
            bytes = Array(name.utf8)
        }

        /// Negative when this name sorts before the stored one, 0 when it is the same.
        func compare(to stored: UnsafeRawBufferPointer) -> Int {
            let order = bytes.withUnsafeBytes { own in
                guard let left = own.baseAddress, let right = stored.baseAddress else { return Int32(0) }
                return memcmp(left, right, min(own.count, stored.count))
            }
            return order != 0 ? Int(order) : bytes.count - stored.count
        }
    }

    let names: [Name]

    init(_ names: Set<AttributeName>) {
        self.names = names.sorted { $0.precedes($1) }.map { Name($0) }
    }
}

extension ItemReader {
    /// Reads of the item what is selected. What is stored behind the last of it is not looked at.
    mutating func item(only selection: AttributeSelection) throws(ItemCodecError) -> Item {
        let names = selection.names
        var item: Item = Dictionary(minimumCapacity: names.count)
        var next = 0
        for _ in 0..<(try passHead()) {
            let stored = try passName()
            while next < names.count, names[next].compare(to: stored) < 0 { next += 1 }
            guard next < names.count else { break }
            if names[next].compare(to: stored) == 0 {
                item[names[next].name] = try attribute()
            } else {
                try passValue(depth: 0)
            }
        }
        return item
    }
}
