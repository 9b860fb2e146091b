import CLinux
import Glibc

extension EventLoop {
    /// Sends what is written. What the peer does not take now waits for it; after the last answer our side is shut
    /// down. Then settles what to wait for. The connection may be gone afterwards.
    func flush(_ connection: UnsafeMutablePointer<Connection>) {
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
                    tookBytes: count > 0, state.pointee.patience, now: state.pointee.monotonic)
                keepOutput(connection)
                return settle(connection)
            }
        }
        giveBack(&connection.pointee.output, &state.pointee.spareOutput)
        connection.pointee.machine.unblock(state.pointee.patience, now: state.pointee.monotonic)
        if connection.pointee.machine.phase == .closing { return shutDown(connection) }
        settle(connection)
    }

    /// Moves what a slow peer has not taken into memory of its own.
    private func keepOutput(_ connection: UnsafeMutablePointer<Connection>) {
        guard state.pointee.spareOutput.capacity == 0 else { return }
        var own = ByteBuffer()
        own.append(connection.pointee.output.readable)
        connection.pointee.output.consume(connection.pointee.output.count)
        swap(&connection.pointee.output, &own)
        giveBack(&own, &state.pointee.spareOutput)
    }

    /// All is sent and no more will be. Closing at once with input unread would send a reset, which may overtake the
    /// answer: so end our side first, and wait a while for the peer to end its own.
    func shutDown(_ connection: UnsafeMutablePointer<Connection>) {
        guard !connection.pointee.machine.inputEnded else { return release(connection) }
        guard shutdown(connection.pointee.descriptor, Int32(SHUT_WR)) == 0 else { return release(connection) }
        connection.pointee.input.consume(connection.pointee.input.count)
        connection.pointee.machine.linger(state.pointee.patience, now: state.pointee.monotonic)
        settle(connection)
    }
}
