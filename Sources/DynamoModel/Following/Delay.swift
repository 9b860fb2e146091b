import Dispatch

/// Does things later, by the monotonic clock: one that is set, forwards or back, keeps nobody waiting.
package struct Delay: Sendable {
    /// Calls `body` on a queue when so many milliseconds have passed.
    package let call: Call

    /// What waits: for so many milliseconds, on which queue, to do what.
    package typealias Call =
        @Sendable (_ milliseconds: Int, _ queue: DispatchQueue, _ body: @escaping @Sendable () -> Void) -> Void

    /// Waits by what `call` says.
    package init(call: @escaping Call) {
        self.call = call
    }

    /// The system's.
    package static let monotonic = Delay { milliseconds, queue, body in
        // The clock of `DispatchTime` is CLOCK_MONOTONIC; that of `DispatchWallTime` is the one that is set.
        queue.asyncAfter(deadline: .now() + .milliseconds(milliseconds), execute: body)
    }
}
