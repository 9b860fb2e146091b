import Bytes
import CLinux
import Glibc

extension EventLoop {
    /// Handshakes that are gone on with in one turn of the loop. Each costs the time of some fifty requests: more of
    /// them wait for the next turn, in the order they came, so that they do not hold up everybody else.
    static let handshakesAtOnce = 2

    /// Reads once from a secured connection and goes on with what it said.
    func readable(_ connection: UnsafeMutablePointer<HTTPConnection>, _ session: TLSSession) {
        state.pointee.cipher.reserve(LoopState.spareBytes)
        let room = state.pointee.cipher.writable
        let count = recv(connection.pointee.descriptor, room.baseAddress, room.count, 0)
        guard count > 0 else {
            let isClosed = count < 0 && errno != EAGAIN
            connection.pointee.isReadable = false
            if isClosed { return release(connection) }
            if count == 0 {
                // Who leaves in the middle of a handshake is owed nothing.
                if !session.isEstablished { return release(connection) }
                connection.pointee.machine.endInput()
                goOn(connection)
            }
            return
        }
        connection.pointee.isReadable = count == room.count || connection.pointee.hasEnd
        state.pointee.counters.bytesRead.raise(by: UInt64(count))
        lendInput(connection)
        let wasEstablished = session.isEstablished
        let bytes = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(room)[..<count])
        switch session.receive(bytes, into: &connection.pointee.input) {
        case .taken: break
        case .ended: connection.pointee.machine.endInput()
        case .failed:
            state.pointee.counters.failedHandshakes.raise(by: wasEstablished ? 0 : 1)
            sendRest(of: session, on: connection)
            return release(connection)
        }
        if !wasEstablished, session.isEstablished {
            state.pointee.counters.handshakes.raise(by: 1)
            if session.isResumed { state.pointee.counters.resumptions.raise(by: 1) }
            connection.pointee.machine.secured(state.pointee.timeouts, now: state.pointee.monotonic)
        }
        goOn(connection)
    }

    /// Sends what is written, secured.
    func flush(_ connection: UnsafeMutablePointer<HTTPConnection>, _ session: TLSSession) {
        if !connection.pointee.output.isEmpty {
            guard session.send(connection.pointee.output.readable) else { return release(connection) }
            connection.pointee.output.consume(connection.pointee.output.count)
        }
        giveBack(&connection.pointee.output, &state.pointee.spareOutput)
        if !session.output.isEmpty {
            let bytes = session.output.readable
            let count = Glibc.send(connection.pointee.descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            if count < 0, errno != EAGAIN { return release(connection) }
            if count > 0 {
                session.output.consume(count)
                state.pointee.counters.bytesWritten.raise(by: UInt64(count))
            }
            if !session.output.isEmpty {
                connection.pointee.machine.block(
                    took: max(0, count), state.pointee.timeouts, now: state.pointee.monotonic)
                if !account(connection) { return }
                return settle(connection)
            }
            // An idle connection keeps no more than its session.
            session.output.release()
        }
        forget(connection)
        connection.pointee.machine.unblock(state.pointee.timeouts, now: state.pointee.monotonic)
        if connection.pointee.machine.phase == .closing {
            session.end()
            sendRest(of: session, on: connection)
            return shutDown(connection)
        }
        settle(connection)
    }

    /// Sends the last that the session has to say, as far as the socket takes it now.
    func sendRest(of session: TLSSession, on connection: UnsafeMutablePointer<HTTPConnection>) {
        let bytes = session.output.readable
        if bytes.isEmpty { return }
        _ = Glibc.send(connection.pointee.descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
        session.output.consume(bytes.count)
    }
}
