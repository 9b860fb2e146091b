import Dispatch
import Glibc
import Platform
import Telemetry

/// Writes lines to a descriptor. A reader that does not read keeps nobody waiting: a line that the kernel does not take
/// at once is written by a thread of its own, and what there is no room for then is dropped, counted, and told when
/// there is room again.
final class LogOutput: Sendable {
    /// Bytes of lines that wait at most.
    private let bytesMaximum: Int
    private let descriptor: Int32
    private let kind: Kind
    /// The line that tells how many were dropped.
    private let notice: @Sendable (Int) -> [UInt8]
    private let state = Locked(State())
    /// Signalled when there is something to write, by whoever finds that the thread sleeps.
    private let work = DispatchSemaphore(value: 0)

    private struct State {
        var waiting: [UInt8] = []
        /// Lines that were dropped and not told of.
        var dropped = 0
        /// The same, with those that were told of.
        var allDropped: UInt64 = 0
        var isAsleep = false
        /// Whether what was taken is being written.
        var isWriting = false
    }

    /// What the descriptor is of, by what a write to it may wait for.
    private enum Kind {
        /// As the journal's is.
        case socket
        case pipe
        /// For a disk.
        case file
        /// A terminal: for whoever has stopped it.
        case other
    }

    /// - Parameters:
    ///   - descriptor: where lines are written.
    ///   - bytesMaximum: bytes of lines that wait at most.
    ///   - notice: makes the line that tells how many were dropped.
    init(
        _ descriptor: Int32, bytesMaximum: Int = 1 << 20, notice: @escaping @Sendable (Int) -> [UInt8]
    ) {
        (self.descriptor, self.bytesMaximum, self.notice) = (descriptor, bytesMaximum, notice)
        var status = stat()
        let isKnown = fstat(descriptor, &status) == 0
        kind =
            switch status.st_mode & S_IFMT {
            case S_IFSOCK where isKnown: .socket
            case S_IFIFO where isKnown: .pipe
            case S_IFREG where isKnown: .file
            default: .other
            }
    }

    /// Begins to write. The thread lives as long as the process.
    func start() {
        let thread = DispatchQueue(label: "flag-server.log")
        thread.async { [self] in while true { writeNext() } }
    }

    /// Lines that were dropped since the start.
    var dropped: UInt64 { state.withLock { $0.allDropped } }

    /// Writes what there is to be known of it.
    func writeMetrics(to text: inout MetricsText) {
        text.family(
            "flag_server_log_dropped_lines_total", .counter,
            "Lines of the log that were dropped since who reads it did not keep up.")
        text.sample(dropped)
    }

    /// Has a line written, with its end. Never waits for the reader.
    ///
    /// - Parameter isOnLoop: whether an event loop says it, which must not wait for a disk, either.
    func write(_ line: [UInt8], isOnLoop: Bool = false) {
        let mustWake = state.withLock { state in
            // Nothing waits before it.
            let taken = state.isAsleep ? writeNow(line, isOnLoop) : 0
            if taken == line.count { return false }
            let line = line[taken...]
            if state.waiting.count + line.count > bytesMaximum, taken == 0 {
                state.dropped += 1
                state.allDropped += 1
                return false
            }
            state.waiting += line
            defer { state.isAsleep = false }
            return state.isAsleep
        }
        if mustWake { work.signal() }
    }

    /// Writes as much of a line as the kernel takes at once.
    private func writeNow(_ line: [UInt8], _ isOnLoop: Bool) -> Int {
        switch kind {
        case .socket: return max(0, send(descriptor, line, line.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)))
        case .pipe:
            // One that can be written to takes so many bytes, and all of them or none (pipe(7), PIPE_BUF).
            guard line.count <= 4096 else { return 0 }
            var wanted = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            guard poll(&wanted, 1, 0) == 1, wanted.revents & Int16(POLLOUT) != 0 else { return 0 }
        case .file: if isOnLoop { return 0 }
        case .other: return 0
        }
        return max(0, Glibc.write(descriptor, line, line.count))
    }

    /// Waits until what was said before is written, but not longer than that. For a process that ends.
    func flush(within duration: Duration) {
        let end = SystemClock.monotonicMilliseconds + Int64(duration.milliseconds)
        while SystemClock.monotonicMilliseconds < end {
            if state.withLock({ $0.waiting.isEmpty && !$0.isWriting && $0.dropped == 0 }) { return }
            usleep(1000)
        }
    }

    private func writeNext() {
        let lines = state.withLock { state -> [UInt8]? in
            state.isWriting = false
            guard !state.waiting.isEmpty || state.dropped > 0 else {
                state.isAsleep = true
                return nil
            }
            var lines: [UInt8] = []
            swap(&lines, &state.waiting)
            // They were dropped behind those that wait.
            if state.dropped > 0 { lines += notice(state.dropped) }
            (state.dropped, state.isWriting) = (0, true)
            return lines
        }
        guard let lines else { return work.wait() }
        // Nothing useful can be done when it is gone.
        try? FileBytes.write(lines, to: descriptor, path: "the log")
    }
}
