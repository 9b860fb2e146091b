import Bytes
import FlagCore

/// A bulk response that takes more than one slice of the loop's time: what has been written of it.
final class UnfinishedResponse {
    /// How often it is begun in slices: each time something it is made from has changed, it is begun anew. It is then
    /// written in one piece, or it would never be finished where changes never end.
    private static let beginningsMaximum = 3

    /// The instant of all its evaluations.
    let now: Timestamp
    private var state: KeyedDigest.Value
    private var beginnings = 1
    private var body = ByteBuffer(capacity: 64)
    private var place = BulkPosition()

    /// A response of which nothing has been written.
    ///
    /// - Parameters:
    ///   - now: the instant of all its evaluations.
    ///   - state: a digest of what it is made from.
    init(now: Timestamp, state: KeyedDigest.Value) {
        self.now = now
        self.state = state
    }

    /// Whether it may be put aside again.
    var maySlice: Bool { beginnings <= UnfinishedResponse.beginningsMaximum }

    /// Puts aside what has been written, and leaves an empty buffer.
    func keep(_ body: inout ByteBuffer, upTo place: BulkPosition) {
        swap(&self.body, &body)
        self.place = place
    }

    /// Gives back what has been written; nothing when it no longer holds.
    ///
    /// - Parameters:
    ///   - state: a digest of what the response is made from now.
    ///   - body: an empty buffer.
    /// - Returns: where to go on.
    func take(_ body: inout ByteBuffer, for state: KeyedDigest.Value) -> BulkPosition {
        if state != self.state {
            self.state = state
            beginnings += 1
            place = BulkPosition()
            self.body.reset()
        }
        swap(&self.body, &body)
        return place
    }
}

/// How far the writing of a bulk response has come.
struct BulkPosition {
    /// The next flag.
    var index = 0
    /// Steps that are left to the rules of the request.
    var remainingSteps = EvaluationRun.stepsOfRequest
}
