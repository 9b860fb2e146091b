import Bytes
import TestSupport
import Testing

@testable import FlagCache
@testable import FlagStore

@Suite("The least recently used table")
struct LRUTableTests {
    private func bytes<Result>(_ text: String, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        text.withBytes(body)
    }

    @Test("One entry too many pushes out the one that was unused for longest")
    func eviction() {
        let table = LRUTable<Int>(capacity: 3, hash: .randomlySeeded())
        for (value, key) in ["a", "b", "c"].enumerated() {
            #expect(!bytes(key) { table.insert($0, salt: 0, value: value, expiresAt: 0) })
        }
        bytes("a") { table.touch(table.find($0, salt: 0)) }
        #expect(bytes("d") { table.insert($0, salt: 0, value: 3, expiresAt: 0) })
        #expect(["a", "b", "c", "d"].map { bytes($0) { table.find($0, salt: 0) >= 0 } } == [true, false, true, true])
        #expect(table.count == 3)
    }

    @Test("The same name with another salt is another entry")
    func salts() {
        let table = LRUTable<Int>(capacity: 3, hash: .randomlySeeded())
        bytes("a") { _ = table.insert($0, salt: 0, value: 1, expiresAt: 0) }
        #expect(bytes("a") { table.find($0, salt: 1) } < 0)
    }

    @Test("A replaced value neither grows the table nor evicts")
    func replacement() {
        let table = LRUTable<Int>(capacity: 1, hash: .randomlySeeded())
        bytes("a") { _ = table.insert($0, salt: 0, value: 1, expiresAt: 5) }
        #expect(!bytes("a") { table.insert($0, salt: 0, value: 2, expiresAt: 6) })
        let entry = bytes("a") { table.entry(table.find($0, salt: 0)).pointee }
        #expect(entry.value == 2)
        #expect(entry.expiresAt == 6)
    }

    @Test("Any sequence of operations leaves what a naive model has", arguments: [1, 2, 7, 64, 300])
    func model(capacity: Int) {
        var random = SeededGenerator(seed: UInt64(capacity))
        let table = LRUTable<Int>(capacity: capacity, hash: ByteHash(seed: 3))
        var model: [(key: String, value: Int)] = []
        for step in 0..<20_000 {
            let key = "key-\(Int.random(in: 0..<capacity * 2, using: &random))"
            let number = bytes(key) { table.find($0, salt: 0) }
            let place = model.firstIndex { $0.key == key }
            #expect((number >= 0) == (place != nil))
            switch Int.random(in: 0..<4, using: &random) {
            case 0 where number >= 0:
                table.remove(number)
                if let place { model.remove(at: place) }
            case 1:
                bytes(key) { _ = table.insert($0, salt: 0, value: step, expiresAt: 0) }
                if let place { model.remove(at: place) }
                if model.count == capacity { model.removeFirst() }
                model.append((key, step))
            default:
                guard number >= 0, let place else { continue }
                #expect(table.entry(number).pointee.value == model[place].value)
                table.touch(number)
                model.append(model.remove(at: place))
            }
        }
        #expect(table.count == model.count)
        table.removeAll()
        #expect(table.count == 0)
    }
}
