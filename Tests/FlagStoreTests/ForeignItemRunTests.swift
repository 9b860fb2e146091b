import ForeignItems
import Testing

@Suite("Any items under the keys of the flag table")
struct ForeignItemRunTests {
    @Test("The store starts on them, answers, takes changes, and starts again", arguments: 0..<60 as Range<UInt64>)
    func anyItems(seed: UInt64) throws {
        // SplitMix64: `./scripts/fuzz` goes on where this ends.
        var state = seed &* 0x9E37_79B9_7F4A_7C15
        let bytes = (0..<400).map { _ -> UInt8 in
            state &+= 0x9E37_79B9_7F4A_7C15
            var value = state
            value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
            value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
            return UInt8(truncatingIfNeeded: value ^ (value >> 31))
        }
        try ForeignItemRun.run(bytes)
    }
}
