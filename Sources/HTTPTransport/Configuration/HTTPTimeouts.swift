import Platform

/// How long the transport waits for what.
package struct HTTPTimeouts: Sendable, Equatable {
    /// For a whole request head, from its first byte; then 408.
    package var head = Duration.seconds(10)
    /// For a whole body, from the end of the head; then 408.
    package var body = Duration.seconds(20)
    /// For the next request on an open connection; then it is closed. More than the 60 s after which load balancers
    /// give up what they keep for reuse: who closes first decides which requests are lost.
    package var idle = Duration.seconds(75)
    /// For a peer to take any byte of a response; then the connection is closed.
    package var write = Duration.seconds(30)
    /// For a whole request, from its first byte to its response; then 408 while reading, 503 while it is worked on.
    package var request = Duration.seconds(29)
    /// For a deferred answer, from the time it was deferred; then 503.
    package var handler = Duration.seconds(15)
    /// For the peer to close after a response that closes the connection.
    package var linger = Duration.seconds(2)

    /// How long a body may come slower than `HTTPLimits.bodyRate`.
    package var rateGrace = Duration.seconds(5)
    /// How long a loop may keep requests waiting that it knows of: those that waited longer are answered 503, but for
    /// the ones that the handler calls essential. Zero for never.
    package var lag = Duration.milliseconds(500)

    /// The defaults.
    package init() {}

    /// Checks each time-out.
    ///
    /// - Throws: `TransportError.invalidConfiguration`, naming the time-out.
    package func validate() throws(TransportError) {
        let hour = 3_600_000
        try require("head time-out in milliseconds", head.milliseconds, in: 1...hour)
        try require("body time-out in milliseconds", body.milliseconds, in: 1...hour)
        try require("idle time-out in milliseconds", idle.milliseconds, in: 1...hour)
        try require("write time-out in milliseconds", write.milliseconds, in: 1...hour)
        try require("request time-out in milliseconds", request.milliseconds, in: 1...hour)
        try require("handler time-out in milliseconds", handler.milliseconds, in: 1...hour)
        try require("rate grace in milliseconds", rateGrace.milliseconds, in: 0...hour)
        try require("lag in milliseconds", lag.milliseconds, in: 0...hour)
        try require("linger time-out in milliseconds", linger.milliseconds, in: 1...hour)
    }
}
