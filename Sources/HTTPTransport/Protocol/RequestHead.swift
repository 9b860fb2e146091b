/// What a head says that the transport itself needs; everything as offsets from the message's first byte.
struct RequestHead {
    var method = HTTPMethod.other
    var methodLength = 0
    var path = ByteRange(0, 0)
    /// Behind the `?`; nil without one.
    var query: ByteRange?
    /// Whether the target is the server itself, by the absolute form without a path (RFC 9112 §3.2.4): its path is `*`.
    var isServerWide = false
    /// Whether the target is an `https` URI.
    var isSecure = false
    /// Whether the version is 1.0; everything else that is accepted is treated as 1.1.
    var isHTTP10 = false
    /// The value of `Content-Length`; nil without one.
    var contentLength: Int?
    /// Header fields seen.
    var fieldCount = 0
    var hasHost = false
    /// Whether there was any `Transfer-Encoding` field.
    private(set) var hasTransferEncoding = false
    /// `Connection: close`.
    private(set) var asksToClose = false
    /// `Connection: keep-alive`.
    private(set) var asksToKeepAlive = false
    /// `Expect: 100-continue`.
    private(set) var expectsContinue = false
    /// An `Expect` of anything else.
    private(set) var expectsOther = false
    /// Whether there is a field that makes the request conditional (RFC 9110 §13.1).
    private(set) var isConditional = false
    /// Whether there is a `Content-Encoding` field (RFC 9110 §8.4).
    private(set) var hasContentCoding = false
    /// Whether there is an `Origin` field (RFC 6454).
    private(set) var hasOrigin = false
    /// What `Accept-Encoding` says.
    private(set) var acceptedCodings = AcceptedCodings()
    /// Whether `chunked` was the last coding named.
    private var endsInChunked = false
    /// Whether `chunked` was named, and something behind it.
    private var hasCodingAfterChunked = false
    /// Whether a registered coding other than `chunked` was named.
    private var hasOtherCoding = false
    /// Whether a coding was named that the registry does not have.
    private var hasUnknownCoding = false

    /// Whether the connection stays open after the response (RFC 9112 §9.3).
    var keepsAlive: Bool { !asksToClose && (!isHTTP10 || asksToKeepAlive) }

    /// Takes note of a field that the transport itself needs; leaves all others alone.
    ///
    /// - Returns: What is wrong with it; nil when nothing is.
    @inline(__always)
    mutating func note(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) -> RequestFault? {
        switch name.count {
        case 4 where name.equalsIgnoringCase("host"): return noteHost(value)
        case 6 where name.equalsIgnoringCase("expect"): noteExpect(value)
        case 6 where name.equalsIgnoringCase("origin"): hasOrigin = true
        case 8 where name.equalsIgnoringCase("if-match"): isConditional = true
        case 10 where name.equalsIgnoringCase("connection"): noteConnection(value)
        case 13 where name.equalsIgnoringCase("if-none-match"): isConditional = true
        case 14 where name.equalsIgnoringCase("content-length"): return noteContentLength(value)
        case 15 where name.equalsIgnoringCase("accept-encoding"): acceptedCodings.note(value)
        case 16 where name.equalsIgnoringCase("content-encoding"): hasContentCoding = true
        case 17 where name.equalsIgnoringCase("transfer-encoding"): noteTransferEncoding(value)
        case 17 where name.equalsIgnoringCase("if-modified-since"): isConditional = true
        case 19 where name.equalsIgnoringCase("if-unmodified-since"): isConditional = true
        default: break
        }
        return nil
    }

    /// What is wrong with a message that has `Transfer-Encoding`; nil when it is chunked and nothing else.
    ///
    /// RFC 9112 §6.1: with `Content-Length` beside it, or in HTTP/1.0, the framing is faulty; §6.3: without `chunked`
    /// at the end there is no telling where the message ends; other codings are not understood here.
    var faultOfTransferEncoding: RequestFault? {
        if isHTTP10 { return .transferEncodingInHTTP10 }
        if contentLength != nil { return .contentLengthWithTransferEncoding }
        if hasUnknownCoding { return .unknownTransferCoding }
        if !endsInChunked || hasCodingAfterChunked { return .malformedTransferEncoding }
        return hasOtherCoding ? .unknownTransferCoding : nil
    }

    private mutating func noteHost(_ value: UnsafeRawBufferPointer) -> RequestFault? {
        if hasHost { return .repeatedHost }
        hasHost = true
        return Authority.isValid(value) ? nil : .malformedHost
    }

    /// A list of expectations (RFC 9110 §10.1.1). HTTP/1.0 knows no interim answers: there 100-continue is passed over.
    private mutating func noteExpect(_ value: UnsafeRawBufferPointer) {
        forEachElement(of: value) { expectation in
            if expectation.equalsIgnoringCase("100-continue") {
                expectsContinue = !isHTTP10
            } else {
                expectsOther = true
            }
        }
    }

    private mutating func noteConnection(_ value: UnsafeRawBufferPointer) {
        forEachElement(of: value) { option in
            if option.equalsIgnoringCase("close") { asksToClose = true }
            if option.equalsIgnoringCase("keep-alive") { asksToKeepAlive = true }
        }
    }

    /// Digits only, and only once: also equal values twice are a sign that somebody on the way reads them differently.
    private mutating func noteContentLength(_ value: UnsafeRawBufferPointer) -> RequestFault? {
        if contentLength != nil || value.isEmpty { return .malformedContentLength }
        var length = 0
        for byte in value {
            guard ByteClass.isDigit(byte) else { return .malformedContentLength }
            let (tenfold, overflow) = length.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tenfold.addingReportingOverflow(Int(byte &- 0x30))
            if overflow || carry { return .malformedContentLength }
            length = sum
        }
        contentLength = length
        return nil
    }

    private mutating func noteTransferEncoding(_ value: UnsafeRawBufferPointer) {
        hasTransferEncoding = true
        forEachElement(of: value) { coding in
            if endsInChunked { hasCodingAfterChunked = true }
            endsInChunked = coding.equalsIgnoringCase("chunked")
            if !endsInChunked { noteOtherCoding(coding) }
        }
    }

    private mutating func noteOtherCoding(_ coding: UnsafeRawBufferPointer) {
        // The IANA registry of transfer codings, the withdrawn `identity`, and `chunked` with parameters, which it has
        // not.
        let names: [StaticString] = ["gzip", "x-gzip", "deflate", "compress", "x-compress", "identity", "chunked"]
        let name = UnsafeRawBufferPointer(rebasing: coding.prefix { $0 != 0x3B && $0 != 0x20 && $0 != 0x09 })
        if names.contains(where: { name.equalsIgnoringCase($0) }) {
            hasOtherCoding = true
        } else {
            hasUnknownCoding = true
        }
    }
}

/// Calls `body` with each element of a comma-separated list that is not empty, without white space around it
/// (RFC 9110 §5.6.1).
func forEachElement(of list: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) {
    for element in list.split(separator: 0x2C) {
        guard let first = element.firstIndex(where: { $0 != 0x20 && $0 != 0x09 }),
            let last = element.lastIndex(where: { $0 != 0x20 && $0 != 0x09 })
        else { continue }
        body(UnsafeRawBufferPointer(rebasing: list[first...last]))
    }
}
