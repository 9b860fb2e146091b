import Bytes
import Glibc
import JSON

/// A small map from bytes to values, sorted by hash: a look-up is a binary search over contiguous 64-bit numbers and
/// one comparison of bytes; it neither allocates nor makes a string. A change moves what follows it, which is cheap for
/// the sizes it is used for (kill switches, segments, the overrides of one tenant).
struct HashedMap<Value> {
    private var hashes: [UInt64] = []
    private var keys: [[UInt8]] = []
    private(set) var values: [Value] = []
    private let hash: ByteHash

    /// An empty map.
    init(hash: ByteHash) {
        self.hash = hash
    }

    /// A map of these entries, whose keys are distinct. O(n log n): set one by one, many would take far longer.
    init(_ entries: some Sequence<(key: [UInt8], value: Value)>, hash: ByteHash) {
        self.init(hash: hash)
        let sorted = entries.map { (hash: $0.key.withUnsafeBytes { hash($0) }, entry: $0) }.sorted { $0.hash < $1.hash }
        hashes = sorted.map(\.hash)
        keys = sorted.map(\.entry.key)
        values = sorted.map(\.entry.value)
    }

    /// Entries.
    var count: Int { hashes.count }

    /// Whether there is nothing: what the hot path asks first.
    var isEmpty: Bool {
        @inline(__always) get { hashes.isEmpty }
    }

    /// The position of a key's value in `values`, valid until the next change. O(log n).
    func index(of key: UnsafeRawBufferPointer) -> Int? {
        let wanted = hash(key)
        var index = lowerBound(of: wanted)
        while index < hashes.count, hashes[index] == wanted {
            if keys[index].withUnsafeBytes({ $0.hasSameBytes(as: key) }) { return index }
            index += 1
        }
        return nil
    }

    /// Sets a key's value. O(n).
    mutating func set(_ value: Value, for key: UnsafeRawBufferPointer) {
        if let index = index(of: key) {
            values[index] = value
            return
        }
        let index = lowerBound(of: hash(key))
        hashes.insert(hash(key), at: index)
        keys.insert(Array(key), at: index)
        values.insert(value, at: index)
    }

    /// Sets the value at a position. O(1).
    mutating func set(_ value: Value, at index: Int) { values[index] = value }

    /// Forgets a key; nothing happens when it is not there. O(n).
    mutating func remove(_ key: UnsafeRawBufferPointer) {
        guard let index = index(of: key) else { return }
        hashes.remove(at: index)
        keys.remove(at: index)
        values.remove(at: index)
    }

    /// Calls `body` with every key and value, in no order that means anything.
    func forEach(_ body: (_ key: [UInt8], _ value: Value) -> Void) {
        for index in keys.indices { body(keys[index], values[index]) }
    }

    private func lowerBound(of wanted: UInt64) -> Int {
        var low = 0
        var high = hashes.count
        while low < high {
            let middle = (low + high) / 2
            if hashes[middle] < wanted { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension [UInt8] {
    /// The order of two keys: by their UTF-8 bytes, which is the order of their Unicode scalars and DynamoDB's order of
    /// strings.
    @inline(__always)
    func compare(to other: UnsafeRawBufferPointer) -> Int32 {
        let order = withUnsafeBytes { own in
            guard let left = own.baseAddress, let right = other.baseAddress else { return Int32(0) }
            return memcmp(left, right, Swift.min(own.count, other.count))
        }
        return order != 0 ? order : Int32(count - other.count)
    }
}

extension String {
    /// A string with storage of its own: reference counts of strings that several loops read are a cost on every core.
    var unshared: String { String(decoding: Array(utf8), as: UTF8.self) }
}
