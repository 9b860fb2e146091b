import Bytes
import Glibc

extension EventLoop {
    /// Bytes of a connection's own input memory that are moved rather than added to.
    private static let smallInput = 4096
    /// Bytes of content that nobody is refused for, however much all have.
    private static let littleInput = 64 * 1024

    /// Reads once and goes on with what came. More than that waits for the next iteration, so that no connection holds
    /// up the others.
    func readable(_ connection: UnsafeMutablePointer<HTTPConnection>) {
        if connection.pointee.machine.phase == .lingering { return drop(connection) }
        if let session = connection.pointee.session { return readable(connection, session) }
        lendInput(connection)
        connection.pointee.input.reserve(4096)
        let room = connection.pointee.input.writable
        let count = recv(connection.pointee.descriptor, room.baseAddress, room.count, 0)
        if count > 0 {
            connection.pointee.input.fill(count)
            connection.pointee.isReadable = count == room.count || connection.pointee.hasEnd
            state.pointee.counters.bytesRead.raise(by: UInt64(count))
        } else if count == 0 {
            connection.pointee.isReadable = false
            connection.pointee.machine.endInput()
        } else {
            let isClosed = errno != EAGAIN
            connection.pointee.isReadable = false
            returnInput(connection)
            if isClosed { release(connection) }
            return
        }
        goOn(connection)
    }

    /// Parses and handles what waits in the input, sends the responses in one piece, and settles what to wait for.
    func goOn(_ connection: UnsafeMutablePointer<HTTPConnection>) {
        let generation = connection.pointee.generation
        repeat {
            if connection.pointee.stream != nil { pump(connection) }
            parse(connection)
            // Flushing frees room for the answers to what is still in the input.
            flush(connection)
            if connection.pointee.generation != generation { return }
        } while connection.pointee.wasInterrupted && !connection.pointee.machine.isBlocked
        keepInput(connection)
        if connection.pointee.generation == generation { returnInput(connection) }
    }

    /// Counts content that is there and not answered: while it comes, and while it is worked on. Where all connections
    /// together have too much, the request with the most of those that are still coming is refused.
    @inline(__always)
    private func keepInput(_ connection: UnsafeMutablePointer<HTTPConnection>) {
        let isWorkedOn = connection.pointee.machine.phase == .answering
        let kept = connection.pointee.input.count &+ (isWorkedOn ? connection.pointee.contentBytes : 0)
        if kept != connection.pointee.keptInputBytes { keepInput(connection, kept) }
    }

    @inline(never)
    private func keepInput(_ connection: UnsafeMutablePointer<HTTPConnection>, _ count: Int) {
        // An upload has a place instead.
        let kept = connection.pointee.upload == nil ? count : 0
        state.pointee.keptInputBytes += kept - connection.pointee.keptInputBytes
        connection.pointee.keptInputBytes = kept
        while state.pointee.keptInputBytes > state.pointee.limits.keptInputBytes, let largest = mostComing() {
            refuseContent(of: largest)
        }
    }

    private func mostComing() -> UnsafeMutablePointer<HTTPConnection>? {
        var largest: UnsafeMutablePointer<HTTPConnection>?
        for slot in 0..<state.pointee.table.slots {
            let connection = state.pointee.table[slot]
            guard connection.pointee.keptInputBytes > largest?.pointee.keptInputBytes ?? EventLoop.littleInput,
                connection.pointee.machine.wantsInput
            else { continue }
            largest = connection
        }
        return largest
    }

    private func refuseContent(of connection: UnsafeMutablePointer<HTTPConnection>) {
        let generation = connection.pointee.generation
        state.pointee.counters.refusedForInput.raise(by: 1)
        state.pointee.keptInputBytes -= connection.pointee.keptInputBytes
        connection.pointee.keptInputBytes = 0
        connection.pointee.input.release()
        connection.pointee.machine.refuseForNow()
        var exchange = Exchange(connection: connection, loop: state)
        exchange.respond(error: .serviceUnavailable, detail: "There is too much content at once.")
        connection.pointee.machine.answered(state.pointee.timeouts, now: state.pointee.monotonic)
        flush(connection)
        if connection.pointee.generation == generation { returnInput(connection) }
    }

    /// Handles request after request, until the input has no whole one, a response is awaited or too much output waits.
    private func parse(_ connection: UnsafeMutablePointer<HTTPConnection>) {
        connection.pointee.wasInterrupted = false
        if connection.pointee.output.capacity == 0 { swap(&connection.pointee.output, &state.pointee.spareOutput) }
        while !connection.pointee.machine.isBlocked {
            var step = connection.pointee.machine.advance(
                &connection.pointee.input, &state.pointee.fields, state.pointee.limits, state.pointee.timeouts,
                now: state.pointee.monotonic)
            if step == .admit {
                guard let next = admit(connection) else {
                    if connection.pointee.wasInterrupted { return }
                    continue
                }
                step = next
            }
            switch step {
            case .admit: preconditionFailure("what was admitted goes on")
            case .wait:
                if connection.pointee.machine.isUploading { _ = admitUpload(connection) }
                return
            case .finish: return
            case .sendContinue:
                if connection.pointee.machine.isUploading, !admitUpload(connection) { return }
                connection.pointee.output.append("HTTP/1.1 100 Continue\r\n\r\n")
            case .handle:
                handle(connection)
                if connection.pointee.output.count >= state.pointee.limits.pendingOutputBytes {
                    connection.pointee.wasInterrupted = true
                    return
                }
            case .refuse(let fault):
                state.pointee.counters.countFault(fault)
                refuse(connection, fault)
                return
            }
        }
    }

    /// Gives the upload that begins one of the places for them; where all are taken, it is refused.
    private func admitUpload(_ connection: UnsafeMutablePointer<HTTPConnection>) -> Bool {
        if connection.pointee.upload != nil { return true }
        connection.pointee.upload = state.pointee.uploads.take()
        if connection.pointee.upload != nil { return true }
        connection.pointee.machine.refuseForNow()
        var exchange = Exchange(connection: connection, loop: state)
        exchange.respond(error: .serviceUnavailable, detail: "There are too many uploads at once.")
        connection.pointee.machine.answered(state.pointee.timeouts, now: state.pointee.monotonic)
        return false
    }

    /// Has the handler decide on the request whose head is there.
    ///
    /// - Returns: What to do next; nil when the request has its response.
    @inline(__always)
    private func admit(_ connection: UnsafeMutablePointer<HTTPConnection>) -> ConnectionMachine.Step? {
        if handler.hasMail { handler.receiveMail() }
        let keepsAlive = connection.pointee.machine.keepsAlive
        // What a response says of the connection is decided before it is written.
        if !connection.pointee.machine.canSkipContent(connection.pointee.input) {
            connection.pointee.machine.keepsAlive = false
        }
        var exchange = Exchange(connection: connection, loop: state)
        let request = connection.pointee.request(state.pointee.fields.entries, contentLength: 0)
        // What has waited for its decision began before, and has its name.
        if !connection.pointee.wasParked {
            connection.pointee.requestBegin = state.pointee.monotonicMicroseconds
            RequestName.begin(request, on: connection)
        }
        connection.pointee.wasParked = false
        connection.pointee.isHeadRead = true
        switch handler.admit(request, &exchange) {
        case .taken(let token, let upload):
            connection.pointee.token = token
            connection.pointee.machine.keepsAlive = keepsAlive
            return connection.pointee.machine.admitted(
                as: upload, &connection.pointee.input, &state.pointee.fields, state.pointee.limits,
                state.pointee.timeouts, now: state.pointee.monotonic)
        case .answered:
            exchange.completeUnanswered()
            state.pointee.counters.requests.raise(by: 1)
            connection.pointee.machine.handedHead(&connection.pointee.input)
            connection.pointee.machine.answered(state.pointee.timeouts, now: state.pointee.monotonic)
            if connection.pointee.output.count >= state.pointee.limits.pendingOutputBytes {
                connection.pointee.wasInterrupted = true
            }
            return nil
        case .pending:
            precondition(exchange.isDeferred, "a request that waits was parked")
            connection.pointee.wasParked = true
            connection.pointee.machine.keepsAlive = keepsAlive
            connection.pointee.machine.park(state.pointee.timeouts, now: state.pointee.monotonic)
            return nil
        }
    }

    private func refuse(_ connection: UnsafeMutablePointer<HTTPConnection>, _ fault: RequestFault) {
        var exchange = Exchange(connection: connection, loop: state)
        var limits = state.pointee.limits
        if fault == .bodyTooLarge { limits.bodyBytes = connection.pointee.machine.bodyMaximum }
        exchange.respond(error: fault.status, detail: fault.detail(limits))
        connection.pointee.machine.answered(state.pointee.timeouts, now: state.pointee.monotonic)
    }

    /// Has the handler answer or defer the request at the front of the input.
    @inline(__always)
    private func handle(_ connection: UnsafeMutablePointer<HTTPConnection>) {
        if handler.hasMail { handler.receiveMail() }
        state.pointee.counters.requests.raise(by: 1)
        state.pointee.current = connection
        var exchange = Exchange(connection: connection, loop: state)
        let request = connection.pointee.request(
            state.pointee.fields.entries, contentLength: connection.pointee.machine.bodyLength)
        handler.handle(request, connection.pointee.token, &exchange)
        state.pointee.current = nil
        connection.pointee.contentBytes = connection.pointee.machine.bodyLength
        connection.pointee.machine.handed(&connection.pointee.input)
        if case .deferred(let ticket) = exchange.state {
            state.pointee.counters.deferred.raise(by: 1)
            if ticket == connection.pointee.ticket {
                connection.pointee.machine.deferred(
                    state.pointee.timeouts, within: exchange.responseTime, now: state.pointee.monotonic)
                return
            }
        } else {
            exchange.completeUnanswered()
        }
        if connection.pointee.upload != nil { connection.pointee.upload = nil }
        if connection.pointee.stream != nil { return connection.pointee.machine.streams() }
        connection.pointee.machine.answered(state.pointee.timeouts, now: state.pointee.monotonic)
    }

    /// Lends memory to read into. What little a slow peer has sent moves along: reading needs room for far more, and
    /// between its bytes the peer is to keep no more than them.
    func lendInput(_ connection: UnsafeMutablePointer<HTTPConnection>) {
        let capacity = connection.pointee.input.capacity
        guard capacity <= EventLoop.smallInput, capacity < state.pointee.spareInput.capacity else { return }
        swap(&connection.pointee.input, &state.pointee.spareInput)
        if capacity == 0 { return }
        connection.pointee.input.append(state.pointee.spareInput.readable)
        state.pointee.spareInput.release()
    }

    /// Gives lent input memory back; what is left of a request moves into memory of its own.
    private func returnInput(_ connection: UnsafeMutablePointer<HTTPConnection>) {
        if connection.pointee.input.isEmpty {
            giveBack(&connection.pointee.input, &state.pointee.spareInput)
        } else if state.pointee.spareInput.capacity == 0 {
            var own = ByteBuffer()
            own.append(connection.pointee.input.readable)
            connection.pointee.input.consume(connection.pointee.input.count)
            swap(&connection.pointee.input, &own)
            giveBack(&own, &state.pointee.spareInput)
        }
    }

    /// An empty buffer becomes the spare one again when that is lent; else its memory is freed. One that has grown far
    /// beyond is not kept.
    func giveBack(_ buffer: inout ByteBuffer, _ spare: inout ByteBuffer) {
        if spare.capacity > 0 { return buffer.release() }
        let isFit = LoopState.spareBytes...8 * LoopState.spareBytes ~= buffer.capacity
        if isFit {
            swap(&buffer, &spare)
        } else {
            buffer.release()
            spare.reserve(LoopState.spareBytes)
        }
    }

    /// Reads and drops what a peer sends after the response that closes its connection.
    private func drop(_ connection: UnsafeMutablePointer<HTTPConnection>) {
        // The spare may have gone with a connection that had it on loan.
        state.pointee.spareInput.reserve(4096)
        let room = state.pointee.spareInput.writable
        let count = recv(connection.pointee.descriptor, room.baseAddress, room.count, 0)
        if count > 0 {
            connection.pointee.isReadable = count == room.count || connection.pointee.hasEnd
            connection.pointee.droppedBytes += count
            if connection.pointee.droppedBytes > state.pointee.limits.lingerBytes { return release(connection) }
            settle(connection)
        } else if count == 0 || errno != EAGAIN {
            release(connection)
        } else {
            connection.pointee.isReadable = false
        }
    }
}
