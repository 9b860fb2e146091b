import Bytes
import CLinux
import Glibc

extension EventLoop {
    /// Sends what is written. What the peer does not take now waits for it; after the last response our side is shut
    /// down. Then settles what to wait for. The connection may be gone afterwards.
    func flush(_ connection: UnsafeMutablePointer<HTTPConnection>) {
        if let session = connection.pointee.session { return flush(connection, session) }
        if !connection.pointee.output.isEmpty {
            let bytes = connection.pointee.output.readable
            let count = send(connection.pointee.descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            if count < 0, errno != EAGAIN { return release(connection) }
            if count > 0 {
                connection.pointee.output.consume(count)
                state.pointee.counters.bytesWritten.raise(by: UInt64(count))
            }
            if !connection.pointee.output.isEmpty {
                connection.pointee.machine.block(
                    took: max(0, count), state.pointee.timeouts, now: state.pointee.monotonic)
                keepOutput(connection)
                if !account(connection) { return }
                return settle(connection)
            }
        }
        giveBack(&connection.pointee.output, &state.pointee.spareOutput)
        forget(connection)
        connection.pointee.machine.unblock(state.pointee.timeouts, now: state.pointee.monotonic)
        if connection.pointee.machine.phase == .closing { return shutDown(connection) }
        settle(connection)
    }

    /// Counts what waits for a slow reader. Where all of them together have too much, the one with the most is closed:
    /// who reads slowly may cost memory, but not without end.
    ///
    /// - Returns: whether the connection is still there.
    func account(_ connection: UnsafeMutablePointer<HTTPConnection>) -> Bool {
        let hasPlace = connection.pointee.largeResponse != nil
        let kept = hasPlace ? 0 : connection.pointee.output.count + (connection.pointee.session?.output.count ?? 0)
        state.pointee.keptOutputBytes += kept - connection.pointee.keptOutputBytes
        connection.pointee.keptOutputBytes = kept
        let generation = connection.pointee.generation
        while state.pointee.keptOutputBytes > state.pointee.limits.keptOutputBytes, let largest = mostKept() {
            state.pointee.counters.closedForOutput.raise(by: 1)
            release(largest)
        }
        return connection.pointee.generation == generation && connection.pointee.descriptor >= 0
    }

    /// Nothing waits for the connection's reader any more.
    @inline(__always)
    func forget(_ connection: UnsafeMutablePointer<HTTPConnection>) {
        if connection.pointee.largeResponse != nil { connection.pointee.largeResponse = nil }
        if connection.pointee.keptOutputBytes == 0 { return }
        state.pointee.keptOutputBytes -= connection.pointee.keptOutputBytes
        connection.pointee.keptOutputBytes = 0
    }

    private func mostKept() -> UnsafeMutablePointer<HTTPConnection>? {
        var largest: UnsafeMutablePointer<HTTPConnection>?
        for slot in 0..<state.pointee.table.slots {
            let connection = state.pointee.table[slot]
            guard connection.pointee.keptOutputBytes > largest?.pointee.keptOutputBytes ?? 0 else { continue }
            largest = connection
        }
        return largest
    }

    /// Moves what a slow peer has not taken into memory of its own.
    private func keepOutput(_ connection: UnsafeMutablePointer<HTTPConnection>) {
        guard state.pointee.spareOutput.capacity == 0 else { return }
        var own = ByteBuffer()
        own.append(connection.pointee.output.readable)
        connection.pointee.output.consume(connection.pointee.output.count)
        swap(&connection.pointee.output, &own)
        giveBack(&own, &state.pointee.spareOutput)
    }

    /// All is sent and no more will be. Closing at once with input unread would send a reset, which may overtake the
    /// answer: so end our side first, and wait a while for the peer to end its own.
    func shutDown(_ connection: UnsafeMutablePointer<HTTPConnection>) {
        guard !connection.pointee.machine.inputEnded else { return release(connection) }
        guard shutdown(connection.pointee.descriptor, Int32(SHUT_WR)) == 0 else { return release(connection) }
        connection.pointee.input.consume(connection.pointee.input.count)
        connection.pointee.machine.linger(state.pointee.timeouts, now: state.pointee.monotonic)
        settle(connection)
    }
}
