import HTTPTransport
import Platform

/// Writes letters to a stream until it is full, and goes on when it has room.
final class LetterStream: Sendable {
    private static let pieceLength = 8192

    private struct State {
        var stream: ResponseStream?
        var remaining: Int
    }

    private let state: Locked<State>

    /// Will write so many letters.
    init(count: Int) {
        state = Locked(State(remaining: count))
    }

    /// Writes to `stream` from now on.
    func begin(_ stream: ResponseStream) {
        state.withLock { $0.stream = stream }
        go()
    }

    /// Writes what there is room for.
    func go() {
        // Who calls back is done with its own lock.
        state.withLock { state in
            guard let stream = state.stream else { return }
            while state.remaining > 0 {
                let piece = [UInt8](repeating: 0x61, count: min(state.remaining, LetterStream.pieceLength))
                guard stream.write(piece) == .taken else { return }
                state.remaining -= piece.count
            }
            stream.finish()
            state.stream = nil
        }
    }
}
