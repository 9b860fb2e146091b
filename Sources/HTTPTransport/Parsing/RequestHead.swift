/// What a head says that the transport itself needs; everything as offsets from the message's first byte.
struct RequestHead {
    var method = HTTPMethod.other
    var methodLength = 0
    var path = ByteRange(0, 0)
    /// Behind the `?`; nil without one.
    var query: ByteRange?
    /// Whether the version is 1.0; everything else that is accepted is treated as 1.1.
    var isHTTP10 = false
    /// The value of `Content-Length`; nil without one. Clamped to `Int.max` where it is larger.
    var contentLength: Int?
    var hasHost = false
    /// Whether there was any `Transfer-Encoding` field.
    var hasTransferEncoding = false
    /// Whether `chunked` was the last coding seen.
    var endsInChunked = false
    /// Whether another coding than `chunked` was named.
    var hasOtherCoding = false
    /// `Connection: close`.
    var asksToClose = false
    /// `Connection: keep-alive`.
    var asksToKeepAlive = false
    /// `Expect: 100-continue`.
    var expectsContinue = false
    /// An `Expect` of anything else.
    var expectsOther = false
    /// Header fields seen.
    var fieldCount = 0

    /// Whether the connection stays open after the answer (RFC 9112 §9.3).
    var keepsAlive: Bool { !asksToClose && (!isHTTP10 || asksToKeepAlive) }
}
