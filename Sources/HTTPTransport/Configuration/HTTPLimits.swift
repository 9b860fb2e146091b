/// Every bound of the transport on what a peer may send or hold.
package struct HTTPLimits: Sendable, Equatable {
    /// Bytes of a request line without its line end; more is 414.
    package var requestLineBytes = 8 * 1024
    /// Bytes of all header fields together, line ends included; more is 431. Also bounds the trailers of a chunked
    /// body.
    package var fieldBytes = 32 * 1024
    /// How many header fields a request may have; more is 431. Also bounds the trailers of a chunked body.
    package var fieldCount = 100
    /// Bytes of a request's content; more is 413, before it is read where `Content-Length` tells.
    package var bodyBytes = 1024 * 1024
    /// Bytes of one chunk-size line of a chunked body, extensions included; more is 400.
    package var chunkLineBytes = 1024
    /// Bytes of responses that may wait for a slow reader before no more of its requests are read.
    package var pendingOutputBytes = 256 * 1024
    /// Bytes of responses that may wait for slow readers, of all connections of a loop together. Past it the reader with
    /// the most is closed.
    package var keptOutputBytes = 32 * 1024 * 1024
    /// Answers of all loops together that may be under way with more than half of `keptOutputBytes`; one more is
    /// answered 503. No reader is closed for one.
    package var largeResponsesAtOnce = 2
    /// Bytes of content that is not answered yet, of all connections of a loop together, uploads aside. Past it the
    /// request with the most of those that are still coming is answered 503.
    package var keptInputBytes = 64 * 1024 * 1024
    /// Bytes a second that a peer must take of a response on average, once `HTTPTimeouts.rateGrace` is over; one that is
    /// slower is closed. 0 sets no bound.
    package var outputRate = 1024
    /// Bytes that are read and dropped after a response that closes the connection.
    package var lingerBytes = 1024 * 1024
    /// Open connections of all loops together; one more is answered 503 and closed.
    package var connections = 10_000
    /// Open connections of one address (of IPv6, of one network of 64 bits); one more is answered 503 and closed. 0
    /// sets no bound. Trusted proxies are not counted: behind one, everybody has its address.
    package var connectionsPerAddress = 0
    /// Bytes a second that a body must come with on average, once `HTTPTimeouts.rateGrace` is over; less is 408. 0
    /// sets no bound.
    package var bodyRate = 240
    /// Connections beyond `connections` that may be open while they are told 503; one more is closed without a response.
    package var refusedConnections = 64
    /// Uploads of all loops together that may be under way, from the begin of their content to their answer; one more
    /// is answered 503. Each may take twice its bytes of memory.
    package var uploadsAtOnce = 4

    /// The defaults.
    package init() {}

    /// Checks each bound and how they relate.
    ///
    /// - Throws: `TransportError.invalidConfiguration`, naming the bound.
    package func validate() throws(TransportError) {
        try require("requestLineBytes", requestLineBytes, in: 64...1_048_576)
        try require("fieldBytes", fieldBytes, in: 64...1_048_576)
        try require("fieldCount", fieldCount, in: 1...1000)
        try require("bodyBytes", bodyBytes, in: 0...1_073_741_824)
        try require("chunkLineBytes", chunkLineBytes, in: 16...65_536)
        try require("pendingOutputBytes", pendingOutputBytes, in: 1...1_073_741_824)
        try require("keptOutputBytes", keptOutputBytes, in: 65_536...68_719_476_736)
        try require("largeResponsesAtOnce", largeResponsesAtOnce, in: 1...1000)
        // A request of the largest content must fit.
        try require("keptInputBytes", keptInputBytes, in: bodyBytes...68_719_476_736)
        try require("outputRate", outputRate, in: 0...1_073_741_824)
        try require("lingerBytes", lingerBytes, in: 0...1_073_741_824)
        try require("connections", connections, in: 1...1_000_000)
        try require("connectionsPerAddress", connectionsPerAddress, in: 0...1_000_000)
        try require("bodyRate", bodyRate, in: 0...1_073_741_824)
        try require("refusedConnections", refusedConnections, in: 0...100_000)
        try require("uploadsAtOnce", uploadsAtOnce, in: 1...1000)
    }
}

/// Checks that the setting `name` lies in `range`.
func require(_ name: String, _ value: Int, in range: ClosedRange<Int>) throws(TransportError) {
    guard range.contains(value) else {
        throw .invalidConfiguration("\(name) is \(value); allowed are \(range.lowerBound) to \(range.upperBound)")
    }
}
