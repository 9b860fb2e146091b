import Bytes
import Platform

/// A response whose content comes piece by piece, from any thread, for as long as it takes: chunked for HTTP/1.1
/// (RFC 9112 §7.1), ended by the end of the connection for HTTP/1.0.
///
/// What the peer has not taken waits in a queue with a bound; past it `write` refuses, and says so until there is room.
package final class ResponseStream: Sendable {
    /// What became of a piece.
    package enum Outcome: Sendable, Equatable {
        /// It will be sent.
        case taken
        /// It was not taken: too much waits. `onRoom` is called when it is worth trying again.
        case full
        /// Nobody will read any more: the connection is gone, or the server drains.
        case closed
    }

    private struct State {
        var bytes: [UInt8] = []
        var isFinished = false
        var isClosed = false
        /// Whether a piece was refused.
        var isWantingRoom = false
        /// Whether the loop knows that there is something.
        var isAnnounced = false
    }

    private let state: Locked<State>
    private let capacity: Int
    /// Whether a server that drains ends it: what goes on for ever would not end by itself.
    let endsAtDrain: Bool
    private let onRoom: @Sendable () -> Void
    private let announce: @Sendable () -> Void

    init(
        capacity: Int, isClosed: Bool, endsAtDrain: Bool = true, announce: @escaping @Sendable () -> Void,
        onRoom: @escaping @Sendable () -> Void
    ) {
        var first = State()
        first.isClosed = isClosed
        state = Locked(first)
        self.capacity = capacity
        self.endsAtDrain = endsAtDrain
        self.announce = announce
        self.onRoom = onRoom
    }

    /// Whether somebody still reads. From any thread.
    package var isRead: Bool { state.withLock { !$0.isClosed } }

    /// Adds a piece of content. Taken whole or not at all; one that is larger than the bound is taken when nothing
    /// waits.
    ///
    /// - Complexity: O(length of the piece).
    package func write(_ piece: [UInt8]) -> Outcome {
        let (outcome, isNews) = state.withLock { state -> (Outcome, Bool) in
            if state.isClosed || state.isFinished { return (.closed, false) }
            if !state.bytes.isEmpty, state.bytes.count + piece.count > capacity {
                state.isWantingRoom = true
                return (.full, false)
            }
            state.bytes += piece
            defer { state.isAnnounced = true }
            return (.taken, !state.isAnnounced)
        }
        if isNews { announce() }
        return outcome
    }

    /// Ends the response when all that was taken is sent.
    package func finish() {
        let isNews = state.withLock { state in
            if state.isClosed || state.isFinished { return false }
            state.isFinished = true
            defer { state.isAnnounced = true }
            return !state.isAnnounced
        }
        if isNews { announce() }
    }

    // MARK: The loop's side

    /// Takes all that waits. Whoever was refused is called back before this returns.
    ///
    /// - Returns: The bytes, and whether they are the last.
    func take() -> (bytes: [UInt8], isFinished: Bool) {
        var hasRoom = false
        let taken = state.withLock { state in
            hasRoom = state.isWantingRoom
            state.isWantingRoom = false
            state.isAnnounced = false
            let bytes = state.bytes
            state.bytes = []
            return (bytes, state.isFinished)
        }
        if hasRoom { onRoom() }
        return taken
    }

    /// Nobody reads any more. Whoever waits for room is called back, to hear so.
    func close() {
        let isWaiting = state.withLock { state in
            state.isClosed = true
            state.bytes = []
            defer { state.isWantingRoom = false }
            return state.isWantingRoom
        }
        if isWaiting { onRoom() }
    }
}

extension Exchange {
    /// Begins a response whose content comes later, piece by piece. The connection's next request waits for its end.
    ///
    /// - Parameters:
    ///   - status: The status; not 204 or 304, which have no content.
    ///   - contentType: The content's media type; nil writes no such field.
    ///   - endsAtDrain: Whether the response ends when the server drains, as one must that goes on for ever.
    ///   - onRoom: Called when `write` has refused a piece and there is room again, or nobody reads any more; on the
    ///     loop, so it must not block.
    ///   - fields: Adds further header fields.
    /// - Returns: Where the content goes. For HEAD it is closed already.
    package mutating func stream(
        _ status: HTTPStatus, contentType: StaticString? = nil, endsAtDrain: Bool = true,
        onRoom: @escaping @Sendable () -> Void = {}, fields: (borrowing FieldWriter) -> Void = { _ in }
    ) -> ResponseStream {
        precondition(status != .noContent && status != .notModified, "this status has no content")
        begin(status)
        let output = Exchange.output(of: connection)
        let writer = ResponseWriter(connection: connection, loop: loop)
        writer.begin(status)
        if let contentType { writer.contentType(contentType) }
        fields(FieldWriter(output: output))
        if connection.pointee.machine.head.isHTTP10 { connection.pointee.machine.keepsAlive = false }
        if connection.pointee.machine.keepsAlive {
            output.pointee.append(loop.pointee.keepAlive.bytes(isHTTP10: false))
        } else {
            output.pointee.append("Connection: close\r\n")
        }
        let isChunked = !connection.pointee.machine.head.isHTTP10
        output.pointee.append(isChunked ? "Transfer-Encoding: chunked\r\n\r\n" : "\r\n")
        if loop.pointee.hasRecord { endRecord() }
        connection.pointee.ticket &+= 1
        let (mailbox, slot, ticket) = (loop.pointee.mailbox, connection.pointee.slot, connection.pointee.ticket)
        let isHead = connection.pointee.machine.head.method == .head
        let stream = ResponseStream(
            capacity: loop.pointee.limits.pendingOutputBytes, isClosed: isHead, endsAtDrain: endsAtDrain,
            announce: { mailbox.send(.stream(slot: slot, ticket: ticket)) }, onRoom: onRoom)
        if !isHead { connection.pointee.stream = stream }
        return stream
    }
}
