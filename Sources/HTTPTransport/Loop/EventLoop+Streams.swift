import Bytes

extension EventLoop {
    /// Moves what waits in the connection's stream to its output, and ends the response after the last of it. While the
    /// peer takes nothing, the stream's own bound holds its producer back.
    func pump(_ connection: UnsafeMutablePointer<HTTPConnection>) {
        guard let stream = connection.pointee.stream, connection.pointee.machine.phase == .streaming,
            !connection.pointee.machine.isBlocked
        else { return }
        if connection.pointee.output.capacity == 0 { swap(&connection.pointee.output, &state.pointee.spareOutput) }
        let (bytes, isFinished) = stream.take()
        let isChunked = !connection.pointee.machine.head.isHTTP10
        if !bytes.isEmpty {
            if isChunked { connection.pointee.output.append(hexadecimal: bytes.count) }
            bytes.withUnsafeBytes { connection.pointee.output.append($0) }
            if isChunked { connection.pointee.output.append("\r\n") }
        }
        guard isFinished else { return }
        if isChunked { connection.pointee.output.append("0\r\n\r\n") }
        connection.pointee.stream = nil
        if state.pointee.isDraining { connection.pointee.machine.keepsAlive = false }
        connection.pointee.machine.answered(state.pointee.timeouts, now: state.pointee.monotonic)
    }

    /// Ends the responses that have no end of their own.
    func finishStreams() {
        for slot in 0..<state.pointee.table.slots {
            let connection = state.pointee.table[slot]
            guard connection.pointee.descriptor >= 0, let stream = connection.pointee.stream else { continue }
            if stream.endsAtDrain { stream.finish() }
        }
    }
}

extension ByteBuffer {
    /// Appends `size` as the first line of a chunk (RFC 9112 §7.1).
    fileprivate mutating func append(hexadecimal size: Int) {
        let digits = (64 - size.leadingZeroBitCount + 3) / 4
        for place in (0..<digits).reversed() {
            let digit = UInt8(size >> (place * 4) & 0xF)
            append(byte: digit < 10 ? 0x30 + digit : 0x57 + digit)
        }
        append("\r\n")
    }
}
