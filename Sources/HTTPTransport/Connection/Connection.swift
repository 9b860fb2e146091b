/// One connection's state. Lies at a fixed address in its loop's `ConnectionTable` and is used by that loop only.
struct Connection: ~Copyable {
    /// Its place in the table.
    let slot: UInt32
    /// How often the slot was given away: tells an event of this connection from one of its predecessor.
    var generation: UInt32 = 0
    /// Counts deferred exchanges: tells the answer that is waited for from one that comes too late.
    var ticket: UInt32 = 0
    /// The socket; -1 while the slot is free.
    var descriptor: Int32 = -1
    /// The epoll events that are asked for.
    var interest: UInt32 = 0
    /// Whether it waits in the loop's list of connections to go on with out of turn.
    var isReady = false
    /// The protocol's state.
    var machine = ConnectionMachine()
    /// Bytes read and not yet consumed.
    var input = ByteBuffer()
    /// Bytes of answers not yet sent.
    var output = ByteBuffer()
    /// Its place in the timer wheel.
    var timer = TimerLink()

    init(slot: UInt32) {
        self.slot = slot
    }
}
