import Synchronization

/// The longest waits of the last minute, in pieces of ten seconds: the loop notes, anybody reads at any time.
final class LoopLag: Sendable {
    private static let pieceMicroseconds: UInt64 = 10_000_000
    /// So many pieces are looked at: the one that has just begun and those of a minute.
    private static let pieces: UInt64 = 7
    /// Bits of a wait; above them stands the number of the piece.
    private static let waitBits: UInt64 = 40

    // A piece's number and its longest wait in one word, so that they cannot be read apart.
    private let current = Atomic<UInt64>(0)
    private let earlier: [Earlier] = (1..<pieces).map { _ in Earlier() }

    private final class Earlier: Sendable {
        let word = Atomic<UInt64>(0)
    }

    /// Notes a wait. From the loop only.
    ///
    /// - Parameters:
    ///   - wait: In microseconds; some twelve days at most are told.
    ///   - now: Microseconds of the monotonic clock.
    @inline(__always)
    func note(_ wait: UInt64, at now: UInt64) {
        let word = current.load(ordering: .relaxed)
        let piece = now / LoopLag.pieceMicroseconds
        let wait = min(wait, 1 << LoopLag.waitBits - 1)
        if word >> LoopLag.waitBits == piece {
            if wait > word & (1 << LoopLag.waitBits - 1) { store(piece, wait) }
        } else {
            begin(piece, wait, ending: word)
        }
    }

    @inline(never)
    private func begin(_ piece: UInt64, _ wait: UInt64, ending word: UInt64) {
        let old = word >> LoopLag.waitBits
        earlier[Int(old % UInt64(earlier.count))].word.store(word, ordering: .relaxed)
        store(piece, wait)
    }

    @inline(__always)
    private func store(_ piece: UInt64, _ wait: UInt64) {
        current.store(piece << LoopLag.waitBits | wait, ordering: .relaxed)
    }

    /// The longest wait of the last minute, in microseconds.
    ///
    /// - Parameter now: Microseconds of the monotonic clock.
    func maximum(at now: UInt64) -> UInt64 {
        let piece = now / LoopLag.pieceMicroseconds
        let words = earlier.map { $0.word.load(ordering: .relaxed) } + [current.load(ordering: .relaxed)]
        return words.reduce(0) { longest, word in
            let isRecent = word >> LoopLag.waitBits + LoopLag.pieces > piece
            return isRecent ? max(longest, word & (1 << LoopLag.waitBits - 1)) : longest
        }
    }
}
