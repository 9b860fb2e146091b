import Bytes
import FlagCore
import TestSupport
import Testing

@testable import FlagCache
@testable import FlagStore

@Suite("The keys of a segment")
struct SegmentKeySetTests {
    private func key(_ number: Int) -> String { "user-\(number)" }

    @Test("are exactly those that were listed, whatever was changed in which order", arguments: 1...4 as ClosedRange)
    func model(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var model: Set<Int> = []
        var keys = SegmentKeySet.empty
        for _ in 0..<300 {
            var changes = SegmentKeyChanges()
            // Mostly a few, now and then so many that a new table is made.
            let count = Int.random(in: 0..<20, using: &random) == 0 ? 1_500 : Int.random(in: 1...20, using: &random)
            for _ in 0..<count {
                let number = Int.random(in: 0..<5_000, using: &random)
                let isListed = Bool.random(using: &random)
                changes.set(Array(key(number).utf8), isListed: isListed)
                if isListed { model.insert(number) } else { model.remove(number) }
            }
            keys = keys.changed(by: changes)
            #expect(keys.count == model.count)
        }
        #expect((0..<5_000).allSatisfy { number in key(number).withBytes(keys.contains) == model.contains(number) })
        var all = SegmentKeyChanges()
        for number in model { all.set(Array(key(number).utf8), isListed: true) }
        #expect(SegmentKeySet.empty.changed(by: all).fingerprint == keys.fingerprint)
    }

    @Test("that are listed again, or were not listed, change nothing")
    func nothing() {
        var changes = SegmentKeyChanges()
        changes.set(Array("a".utf8), isListed: true)
        let keys = SegmentKeySet.empty.changed(by: changes)
        #expect(keys.changed(by: changes) === keys)
        var other = SegmentKeyChanges()
        other.set(Array("b".utf8), isListed: false)
        #expect(keys.changed(by: other) === keys)
        #expect(SegmentKeySet.empty.fingerprint == 0)
    }

    @Test("of a hundred thousand take two megabytes, are all found, and nobody else is")
    func many() {
        var changes = SegmentKeyChanges()
        for number in 0..<FlagLimits.segmentKeys { changes.set(Array(key(number).utf8), isListed: true) }
        let keys = SegmentKeySet.empty.changed(by: changes)
        #expect(keys.count == FlagLimits.segmentKeys)
        #expect((0..<FlagLimits.segmentKeys).allSatisfy { key($0).withBytes(keys.contains) })
        #expect(!(FlagLimits.segmentKeys..<200_000).contains { key($0).withBytes(keys.contains) })
    }
}
