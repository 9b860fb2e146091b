/// What other threads tell a loop itself; messages for its handler go through `Inbox`.
enum LoopLetter: Sendable {
    /// Take over an accepted connection; one that is over the limit is told 503 and closed.
    case adopt(descriptor: Int32, isOverLimit: Bool)
    /// A deferred answer is here.
    case answer(slot: UInt32, ticket: UInt32, HTTPResponse)
    /// Close what is idle, finish what is in flight, and end within so many milliseconds.
    case drain(milliseconds: Int)
}
