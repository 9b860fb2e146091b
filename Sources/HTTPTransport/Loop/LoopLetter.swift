/// What other threads tell a loop itself; messages for its handler go through `Inbox`.
enum LoopLetter: Sendable {
    /// Take over an accepted connection; one that is over a limit is told 503 and closed.
    case adopt(descriptor: Int32, peer: PeerAddress, refusal: ConnectionRefusal?)
    /// A deferred answer is here.
    case answer(slot: UInt32, ticket: UInt32, HTTPResponse)
    /// A stream has something to send.
    case stream(slot: UInt32, ticket: UInt32)
    /// Close what is idle, finish what is in flight, and end within so many milliseconds.
    case drain(milliseconds: Int)
}

/// Why a connection is not served.
enum ConnectionRefusal: Sendable {
    /// There are too many connections.
    case total
    /// There are too many of its address.
    case address
}
