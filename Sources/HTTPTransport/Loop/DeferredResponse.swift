/// A request that waits until its handler can decide on it. Good on its own loop only.
package struct ParkedRequest: Sendable {
    let slot: UInt32
    let ticket: UInt32
}

/// The right to answer one exchange later, from any thread.
///
/// Names the connection by slot and ticket, never by descriptor: a response that comes after the connection closed,
/// after the handler time-out, or a second time is dropped.
package struct DeferredResponse: Sendable {
    let mailbox: Mailbox<LoopLetter>
    let slot: UInt32
    let ticket: UInt32

    /// Sends the response. Wakes the connection's loop at most once for many completions.
    ///
    /// - Parameter response: The whole response.
    package func complete(_ response: HTTPResponse) {
        mailbox.send(.answer(slot: slot, ticket: ticket, response))
    }
}
