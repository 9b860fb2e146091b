/// What the content of a request may have beyond that of others: a file that somebody sends.
package struct HTTPUpload: Sendable, Equatable {
    /// Bytes of content, in place of `HTTPLimits.bodyBytes`; more is 413.
    package let bytes: Int
    /// For the whole content, in place of `HTTPTimeouts.body`; then 408.
    package let time: Duration

    /// An allowance.
    package init(bytes: Int, time: Duration) {
        self.bytes = bytes
        self.time = time
    }
}
