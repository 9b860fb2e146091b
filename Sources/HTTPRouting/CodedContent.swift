import HTTPTransport

/// Content of a request that is coded (RFC 9110 section 8.4): decoded within the bounds of content that is not.
package enum CodedContent {
    /// Decodes content.
    ///
    /// - Parameters:
    ///   - content: as it came.
    ///   - coding: what it is coded with.
    ///   - limit: how many bytes it may have when it is decoded.
    /// - Throws: 415 for a coding that is not known, 413 for too much, 400 for what cannot be decoded.
    package static func decoded(
        _ content: UnsafeRawBufferPointer, _ coding: ContentCoding, atMost limit: Int
    ) throws(Problem) -> [UInt8] {
        switch coding {
        case .identity: return Array(content)
        case .unknown(let name): throw .unknownCoding(name)
        case .gzip:
            do throws(GzipFailure) {
                return try GzipDecoder.decoded(content, atMost: limit)
            } catch {
                switch error {
                case .malformed:
                    throw Problem(.invalidRequest, "Content-Encoding says gzip, and the content is none, or not whole")
                case .tooLarge:
                    throw Problem(.contentTooLarge, "the content has more than \(limit) bytes when it is decoded")
                case .outOfMemory: throw .overloaded
                }
            }
        }
    }
}

extension Problem {
    /// A coding that no route decodes (RFC 9110 section 15.5.16 has the field that says which it might have been).
    fileprivate static func unknownCoding(_ name: String) -> Problem {
        Problem(
            .unsupportedCoding,
            "content is decoded that is coded with gzip, once; Content-Encoding says \(name.prefix(100))",
            headerFields: [("Accept-Encoding", "gzip")])
    }
}
