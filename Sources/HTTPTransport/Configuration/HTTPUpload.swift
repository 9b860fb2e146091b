/// What the content of requests for one path may have beyond that of others: a file that somebody sends.
package struct HTTPUpload: Sendable, Equatable {
    /// The path, without anything percent-encoded.
    package let path: StaticString
    /// Bytes of content, in place of `HTTPLimits.bodyBytes`; more is 413.
    package let bytes: Int
    /// For the whole content, in place of `HTTPTimeouts.body`; then 408.
    package let time: Duration

    /// An allowance for `path`.
    package init(path: StaticString, bytes: Int, time: Duration) {
        self.path = path
        self.bytes = bytes
        self.time = time
    }

    package static func == (left: HTTPUpload, right: HTTPUpload) -> Bool {
        left.path.description == right.path.description && left.bytes == right.bytes && left.time == right.time
    }
}
