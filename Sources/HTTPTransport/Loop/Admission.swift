/// What a handler makes of a request when its head is there, and nothing of its content was asked for.
package enum Admission {
    /// It is taken: `handle` is called when the content is there.
    ///
    /// - Parameters:
    ///   - token: Given to `handle`, for what was found out already.
    ///   - upload: What the content may have beyond that of others; nil for what all may have.
    case taken(token: UInt64, upload: HTTPUpload?)
    /// It has its response, which is the same whatever its content is.
    case answered
    /// It cannot be said yet: `Exchange.parked` was called. The request waits with its content unread, and `admit` is
    /// asked again after `LoopContext.admitAgain`.
    case pending

    /// Taken, with nothing to say of it.
    package static var taken: Admission { .taken(token: 0, upload: nil) }
}
