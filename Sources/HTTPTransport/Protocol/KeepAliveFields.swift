import Platform

/// What a response says of a connection that stays open for another request: made once, written with one copy.
///
/// Clients that reuse connections stop before the time that `Keep-Alive` tells (RFC 2068 §19.7.1.1; Node.js and Apache
/// HttpClient among others): otherwise a request may meet a connection that is being closed, and one that changes
/// something must not be sent again by itself.
struct KeepAliveFields: ~Copyable {
    private let text: UnsafeMutableRawBufferPointer
    /// How many of the bytes are for clients of HTTP/1.1, where nothing need be said.
    private let countOfUsual: Int

    /// - Parameter timeout: how long an idle connection is kept, told in whole seconds; nil to tell nothing.
    init(telling timeout: Duration?) {
        let seconds = timeout.map { $0.milliseconds / 1000 } ?? 0
        let fields = "Connection: keep-alive\r\n" + (seconds > 0 ? "Keep-Alive: timeout=\(seconds)\r\n" : "")
        text = .allocate(byteCount: fields.utf8.count, alignment: 1)
        text.copyBytes(from: fields.utf8)
        countOfUsual = seconds > 0 ? fields.utf8.count : 0
    }

    deinit { text.deallocate() }

    /// The fields of a response; valid as long as this is.
    @inline(__always)
    func bytes(isHTTP10: Bool) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: text.baseAddress, count: isHTTP10 ? text.count : countOfUsual)
    }
}
