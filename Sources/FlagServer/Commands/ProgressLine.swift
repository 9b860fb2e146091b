import Dispatch
import Glibc
import JSON
import Platform

/// A line on a terminal that says how far long work is, written over again and again; nothing where standard error is
/// no terminal.
final class ProgressLine: Sendable {
    private static let width = 24
    private let isShown = isatty(STDERR_FILENO) == 1
    private let isDirty = Locked(false)

    /// Shows how far it is.
    func show(_ line: JSONValue) {
        guard isShown, let work = line["work"], let text = Self.text(of: work) else { return }
        isDirty.withLock { $0 = true }
        StandardError.write("\r\u{1B}[K\(text)")
    }

    /// Leaves the terminal as it was.
    func clear() {
        guard isDirty.withLock({ $0 }) else { return }
        isDirty.withLock { $0 = false }
        StandardError.write("\r\u{1B}[K")
    }

    /// What there is to say of work.
    static func text(of work: JSONValue) -> String? {
        guard let what = work["what"]?.stringValue else { return nil }
        let done = work["done"]?.numberValue?.int64 ?? 0
        guard let total = work["total"]?.numberValue?.int64, total > 0 else { return "\(what): under way" }
        let filled = Int(done * Int64(width) / total)
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
        return "\(what): [\(bar)] \(done * 100 / total) %, \(done) of \(total)"
    }
}

/// Shows on a terminal how far work in this process is.
final class ProgressReport: Sendable {
    private static let interval = DispatchTimeInterval.milliseconds(500)

    private let line = ProgressLine()
    private let queue = DispatchQueue(label: "flag-server.progress-line")
    private let work = Locked<(@Sendable () -> JSONValue)?>(nil)

    /// Takes what says how far the work is.
    @Sendable func follow(_ work: @escaping @Sendable () -> JSONValue) {
        self.work.withLock { $0 = work }
        queue.asyncAfter(deadline: .now() + Self.interval) { self.show() }
    }

    private func show() {
        guard let work = work.withLock({ $0 }) else { return }
        line.show(["work": work()])
        queue.asyncAfter(deadline: .now() + Self.interval) { self.show() }
    }

    /// Leaves the terminal as it was.
    func end() {
        work.withLock { $0 = nil }
        queue.sync { line.clear() }
    }
}
