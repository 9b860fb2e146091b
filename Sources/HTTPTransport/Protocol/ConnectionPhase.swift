/// Where a connection stands in the exchange of requests and answers.
enum ConnectionPhase: UInt8 {
    /// Between requests: no byte of the next one came.
    case idle
    /// A request head came in part.
    case head
    /// The head is whole, and the handler decides on it.
    case admitting
    /// The head is whole, and the handler cannot decide yet; nothing more is read.
    case parked
    /// The head is whole, a body of known length came in part.
    case body
    /// The head is whole, a chunked body came in part.
    case chunks
    /// A whole request was handed out and not yet answered; nothing more is parsed.
    case answering
    /// A response was begun whose content comes in pieces; nothing more is parsed.
    case streaming
    /// The last response is written; once it is sent, our side is shut down.
    case closing
    /// Our side is shut down; what still comes is dropped, for a bounded time.
    case lingering
}
