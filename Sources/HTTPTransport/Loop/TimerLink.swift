/// A connection's place in the timer wheel: a doubly linked list of slots for each tick.
struct TimerLink {
    /// The slot before it in the list; -1 at its begin.
    var previous: Int32 = -1
    /// The slot behind it in the list; -1 at its end.
    var next: Int32 = -1
    /// The list it is in; -1 when it waits for nothing.
    var bucket: Int32 = -1
    /// When the wheel looks at it, in milliseconds of the monotonic clock. Not later than its machine's deadline.
    var time: Int64 = 0
}
