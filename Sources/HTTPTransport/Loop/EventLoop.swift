import Bytes
import CLinux
import Glibc
import Platform
import Synchronization

/// One event loop: its connections' sockets, driven by epoll. Runs on one queue from `init` to the end of `run`.
///
/// The protocol is decided by `ConnectionMachine`; here its decisions become system calls.
final class EventLoop {
    private static let eventsAtOnce = 256
    /// How long a wait for events is that was one: what it ends with has just come.
    private static let sleepMicroseconds: Int64 = 1000
    /// Marks the bell among the events; no connection has this slot.
    private static let bellMark = UInt64.max

    let state: UnsafeMutablePointer<LoopState>
    let handler: ErasedHandler
    private let epoll: Int32
    private let bell: Bell
    private let events: UnsafeMutablePointer<epoll_event>
    private var due: [UInt32] = []
    private var drainDeadline = Int64.max

    /// A loop without connections.
    ///
    /// - Parameters:
    ///   - epoll: An epoll descriptor, closed with the loop.
    ///   - bell: What wakes the loop.
    ///   - state: Has to outlive the loop and its handler.
    ///   - handler: The program's handler.
    init(epoll: Int32, bell: Bell, state: UnsafeMutablePointer<LoopState>, handler: ErasedHandler) {
        self.epoll = epoll
        self.bell = bell
        self.state = state
        self.handler = handler
        events = .allocate(capacity: EventLoop.eventsAtOnce)
        var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(u64: EventLoop.bellMark))
        let status = epoll_ctl(epoll, EPOLL_CTL_ADD, bell.descriptor, &event)
        precondition(status == 0, "epoll_ctl of a loop's own eventfd failed: errno \(errno)")
    }

    deinit {
        events.deallocate()
        close(epoll)
    }

    /// Serves until the loop is drained.
    func run() {
        collectMail()
        var turnBegin = SystemClock.monotonicMicroseconds
        var turnEnd = turnBegin
        while !(state.pointee.isDraining && state.pointee.table.count == 0) {
            state.pointee.counters.turnBegin.store(0, ordering: .relaxed)
            let count = epoll_wait(epoll, events, Int32(EventLoop.eventsAtOnce), waitMilliseconds)
            let woken = SystemClock.monotonicMicroseconds
            // Who was not waited for was there before: it may have come when the turn before had just begun.
            let begin = woken &- turnEnd > EventLoop.sleepMicroseconds ? woken : turnBegin
            turnBegin = woken
            state.pointee.counters.turnBegin.store(UInt64(woken), ordering: .relaxed)
            state.pointee.readClocks()
            var isRung = false
            state.pointee.isOverloaded = false
            noteOverload(at: woken, since: begin)
            for index in 0..<max(0, Int(count)) {
                // Reading the clock at each event would be felt.
                if index & 3 == 3 {
                    noteOverload(at: SystemClock.monotonicMicroseconds, since: begin)
                    // What others have done meanwhile is answered between these requests: a kill switch that has
                    // waited for its turn must not wait for another.
                    if state.pointee.mailbox.hasMail { collectMail() }
                }
                let event = events[index]
                guard event.data.u64 == EventLoop.bellMark else {
                    handleEvent(event)
                    continue
                }
                // Whoever rang before these requests came is heard before they are.
                isRung = true
                collectMail()
            }
            if isRung {
                bell.silence()
                collectMail()
            }
            goOnWithReady()
            readUnread()
            if state.pointee.monotonic >= min(state.pointee.timers.earliest, drainDeadline) { expire() }
            turnEnd = SystemClock.monotonicMicroseconds
            noteLag(turnEnd &- begin, at: turnEnd)
        }
    }

    /// How long to sleep: until the next timer, for ever without one.
    private var waitMilliseconds: Int32 {
        if !state.pointee.unread.isEmpty { return 0 }
        let next = min(state.pointee.timers.earliest, drainDeadline)
        if next == .max { return -1 }
        return Int32(clamping: max(0, next &- state.pointee.monotonic))
    }

    /// What is handled from now on in this turn may have waited since then.
    @inline(__always)
    private func noteOverload(at now: Int64, since begin: Int64) {
        if state.pointee.timeouts.lag != .max, now &- begin > state.pointee.timeouts.lag {
            state.pointee.isOverloaded = true
        }
    }

    @inline(__always)
    private func noteLag(_ lag: Int64, at now: Int64) {
        state.pointee.counters.lag.note(UInt64(clamping: lag), at: UInt64(clamping: now))
    }

    /// Epoll is edge-triggered: it tells once that there is something to read or room to write, which spares it from
    /// looking again at every connection it has just told of.
    private func handleEvent(_ event: epoll_event) {
        let slot = UInt32(truncatingIfNeeded: event.data.u64)
        let generation = UInt32(truncatingIfNeeded: event.data.u64 &>> 32)
        guard let connection = state.pointee.table.find(slot: slot, generation: generation) else { return }
        let ends = EPOLLRDHUP.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue
        if event.events & (EPOLLIN.rawValue | ends) != 0 { connection.pointee.isReadable = true }
        if event.events & ends != 0 {
            connection.pointee.hasEnd = true
            connection.pointee.watch?.end()
        }
        let isGone = event.events & (EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0
        if connection.pointee.machine.isBlocked {
            guard event.events & EPOLLOUT.rawValue != 0 || isGone else { return }
            flush(connection)
            guard state.pointee.table.find(slot: slot, generation: generation) != nil else { return }
            if !connection.pointee.machine.isBlocked { goOn(connection) }
        } else if connection.pointee.machine.phase == .streaming {
            // A stream may have no end: who ends its own side is taken to have left.
            if event.events & ends != 0 { release(connection) }
        } else if connection.pointee.machine.phase == .answering || connection.pointee.machine.phase == .parked {
            // Nobody is left to take the response that is awaited.
            if isGone { release(connection) }
        } else if connection.pointee.isReadable {
            // Handshakes wait in line.
            if isHandshaking(connection) { settle(connection) } else { readable(connection) }
        }
    }

    @inline(__always)
    private func isHandshaking(_ connection: UnsafeMutablePointer<HTTPConnection>) -> Bool {
        connection.pointee.session.map { !$0.isEstablished } ?? false
    }

    /// Reads again where there was more; what is left then waits for the next iteration.
    private func readUnread() {
        if state.pointee.unread.isEmpty { return }
        let connections = state.pointee.unread
        state.pointee.unread.removeAll(keepingCapacity: true)
        var handshakes = 0
        // A connection that has closed meanwhile has the mark no more.
        for connection in connections where connection.pointee.isUnread {
            if isHandshaking(connection) {
                handshakes += 1
                if handshakes > EventLoop.handshakesAtOnce {
                    state.pointee.unread.append(connection)
                    continue
                }
            }
            connection.pointee.isUnread = false
            if connection.pointee.machine.wantsInput { readable(connection) }
        }
    }

    /// Goes on with connections that were answered out of turn; these may get more of them answered.
    private func goOnWithReady() {
        while let connection = state.pointee.ready.popLast() {
            connection.pointee.isReady = false
            if connection.pointee.descriptor >= 0 { goOn(connection) }
        }
    }

    /// Messages first: a message that was sent before a response was completed is received before it is given.
    private func collectMail() {
        let letters = state.pointee.mailbox.hasMail ? state.pointee.mailbox.takeAll() : []
        if handler.hasMail { handler.receiveMail() }
        for letter in letters {
            switch letter {
            case .adopt(let descriptor, let peer, let refusal): adopt(descriptor, peer, refusal)
            case .answer(let slot, let ticket, let response):
                guard let connection = state.pointee.table.find(slot: slot, ticket: ticket) else { continue }
                Resumption.answer(connection, loop: state) { $0.respond(response) }
            case .stream(let slot, let ticket):
                if let connection = state.pointee.table.find(slot: slot, ticket: ticket) { goOn(connection) }
            case .drain(let milliseconds): drain(milliseconds)
            }
        }
        goOnWithReady()
    }

    /// For how long a connection on which no request has come yet waits for its first while the loop drains, in
    /// milliseconds: its client has only just connected, and no client sends again by itself what failed on a new one.
    private static let firstRequestMilliseconds: Int64 = 1000

    /// Closes what is idle; what has a request under way closes with its response. A request that has just arrived on
    /// an idle connection is still served.
    private func drain(_ milliseconds: Int) {
        state.pointee.isDraining = true
        drainDeadline = state.pointee.monotonic + Int64(milliseconds)
        finishStreams()
        for slot in 0..<state.pointee.table.slots {
            let connection = state.pointee.table[slot]
            let isIdle = connection.pointee.machine.phase == .idle && connection.pointee.output.isEmpty
            guard connection.pointee.descriptor >= 0, isIdle else { continue }
            let generation = connection.pointee.generation
            readable(connection)
            let isSame = connection.pointee.generation == generation && connection.pointee.descriptor >= 0
            guard isSame, connection.pointee.machine.phase == .idle, connection.pointee.output.isEmpty else { continue }
            if connection.pointee.hasRequest || connection.pointee.hasEnd {
                release(connection)
            } else {
                connection.pointee.machine.hurry(by: state.pointee.monotonic + EventLoop.firstRequestMilliseconds)
                state.pointee.timers.ensure(connection.pointee.slot, by: connection.pointee.machine.deadline)
            }
        }
    }

    private func expire() {
        let now = state.pointee.monotonic
        if now >= drainDeadline {
            for slot in 0..<state.pointee.table.slots where state.pointee.table[slot].pointee.descriptor >= 0 {
                release(state.pointee.table[slot])
            }
            return
        }
        due.removeAll(keepingCapacity: true)
        state.pointee.timers.advance(to: now, into: &due)
        for slot in due {
            let connection = state.pointee.table[slot]
            if connection.pointee.descriptor >= 0 { expire(connection, now: now) }
        }
        goOnWithReady()
    }

    private func expire(_ connection: UnsafeMutablePointer<HTTPConnection>, now: Int64) {
        let counters = state.pointee.counters
        // The kernel takes some MB at once of a peer who takes nothing.
        let isAsked = connection.pointee.machine.isBlocked && connection.pointee.peer.family != .unix
        let untaken = isAsked ? Int(clinux_unacknowledged(connection.pointee.descriptor)) : 0
        switch connection.pointee.machine.expire(state.pointee.timeouts, now: now, untaken: untaken) {
        case .none:
            state.pointee.timers.ensure(connection.pointee.slot, by: connection.pointee.machine.deadline)
        case .close(.idle): closeIdle(connection, now: now)
        case .close(let timeout):
            if let timeout { counters.countTimeout(timeout) }
            release(connection)
        case .requestTimeout(let timeout):
            counters.countTimeout(timeout)
            answer(connection, error: .requestTimeout, detail: "The request did not arrive in time.")
        case .handlerTimeout(let timeout):
            counters.countTimeout(timeout)
            connection.pointee.watch?.end()
            answer(connection, error: .serviceUnavailable, detail: "The request took too long to answer.")
        }
    }

    /// Closes a connection on which no request came in time. One that arrives at the last moment is served: for its
    /// client it was in time, and who has sent a change cannot send it again without knowing.
    private func closeIdle(_ connection: UnsafeMutablePointer<HTTPConnection>, now: Int64) {
        let generation = connection.pointee.generation
        if connection.pointee.machine.wantsInput { readable(connection) }
        guard connection.pointee.generation == generation, connection.pointee.descriptor >= 0 else { return }
        if connection.pointee.machine.phase == .idle, now >= connection.pointee.machine.deadline {
            state.pointee.counters.countTimeout(.idle)
            release(connection)
        } else {
            state.pointee.timers.ensure(connection.pointee.slot, by: connection.pointee.machine.deadline)
        }
    }

    /// Gives the transport's own response to the request at hand.
    func answer(_ connection: UnsafeMutablePointer<HTTPConnection>, error status: HTTPStatus, detail: String) {
        Resumption.answer(connection, loop: state) { $0.respond(error: status, detail: detail) }
    }

    // MARK: Connections

    private func adopt(_ descriptor: Int32, _ peer: PeerAddress, _ refusal: ConnectionRefusal?) {
        let connection = state.pointee.table.take(descriptor: descriptor)
        connection.pointee.peer = peer
        connection.pointee.hasRequest = false
        // RFC 9110 §7.4: a trusted gateway vouches for the security of the connection that it has with the client.
        let isVouchedFor = state.pointee.trustedProxies.contains { $0.contains(peer) }
        connection.pointee.isVouchedFor = isVouchedFor
        connection.pointee.machine = ConnectionMachine(
            now: state.pointee.monotonic, timeouts: state.pointee.timeouts,
            isSecure: isVouchedFor || state.pointee.certificates != nil && peer.family != .unix)
        guard register(connection) else { return release(connection) }
        state.pointee.counters.accepted.raise(by: 1)
        if peer.family != .unix, let certificates = state.pointee.certificates {
            return beginHandshake(connection, certificates, refusal)
        }
        switch refusal {
        case nil: settle(connection)
        case .total:
            state.pointee.counters.refused.raise(by: 1)
            refuse(connection, "There are too many connections.")
        case .address:
            state.pointee.counters.refusedByAddress.raise(by: 1)
            refuse(connection, "There are too many connections from this address.")
        }
    }

    /// A secured connection that is too many is closed without a word: to say it, a handshake would be needed.
    private func beginHandshake(
        _ connection: UnsafeMutablePointer<HTTPConnection>, _ certificates: TLSCertificates,
        _ refusal: ConnectionRefusal?
    ) {
        if refusal == .total { state.pointee.counters.refused.raise(by: 1) }
        if refusal == .address { state.pointee.counters.refusedByAddress.raise(by: 1) }
        guard refusal == nil, let session = TLSSession(certificates.current) else { return release(connection) }
        connection.pointee.session = session
        connection.pointee.machine.handshakes(state.pointee.timeouts, now: state.pointee.monotonic)
        settle(connection)
    }

    private func refuse(_ connection: UnsafeMutablePointer<HTTPConnection>, _ detail: String) {
        connection.pointee.machine.refuseForNow()
        answer(connection, error: .serviceUnavailable, detail: detail)
    }

    /// Closes the connection, whatever waits in it.
    func release(_ connection: UnsafeMutablePointer<HTTPConnection>) {
        if let session = connection.pointee.session, session.output.isEmpty {
            session.end()
            sendRest(of: session, on: connection)
        }
        close(connection.pointee.descriptor)
        state.pointee.addresses.leave(connection.pointee.peer)
        forget(connection)
        state.pointee.keptInputBytes -= connection.pointee.keptInputBytes
        connection.pointee.keptInputBytes = 0
        state.pointee.timers.clear(connection.pointee.slot)
        state.pointee.table.release(connection)
        state.pointee.counters.open.subtract(1, ordering: .relaxed)
    }

    /// Has the timers know the machine's deadline, and reads again soon where there is more.
    func settle(_ connection: UnsafeMutablePointer<HTTPConnection>) {
        state.pointee.timers.ensure(connection.pointee.slot, by: connection.pointee.machine.deadline)
        guard connection.pointee.isReadable, !connection.pointee.isUnread, connection.pointee.machine.wantsInput else {
            return
        }
        connection.pointee.isUnread = true
        state.pointee.unread.append(connection)
    }

    private func register(_ connection: UnsafeMutablePointer<HTTPConnection>) -> Bool {
        let mark = UInt64(connection.pointee.generation) << 32 | UInt64(connection.pointee.slot)
        let events = EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue
        var event = epoll_event(events: events, data: epoll_data_t(u64: mark))
        return epoll_ctl(epoll, EPOLL_CTL_ADD, connection.pointee.descriptor, &event) == 0
    }
}
