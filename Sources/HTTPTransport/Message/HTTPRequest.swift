/// One whole request, as slices of the connection's read buffer.
///
/// Valid only during `HTTPHandler.handle`: what must live longer is copied by the handler.
package struct HTTPRequest: ~Copyable {
    /// The method; `other` for one that this library has no name for.
    package let method: HTTPMethod
    /// The request's path as it was sent: percent-encoded, without the query, the authority of an absolute form
    /// (RFC 9112 §3.2.2) removed. Begins with `/`, or is `*` (RFC 9112 §3.2.4, OPTIONS only).
    package let path: UnsafeRawBufferPointer
    /// What stands behind the first `?`, percent-encoded; nil without a `?`.
    package let query: UnsafeRawBufferPointer?
    /// The content, a chunked one decoded and in one piece; empty when there is none.
    package let body: UnsafeRawBufferPointer
    /// Whether a field makes the request conditional: then `precondition` is worth asking.
    package let isConditional: Bool
    /// Whether a field says that the content is coded: then `contentCoding` is worth asking.
    package let hasContentCoding: Bool
    /// Whether there is an `Origin` field: then it is worth looking for.
    package let hasOrigin: Bool
    /// The head's bytes, from the method to the empty line.
    let head: UnsafeRawBufferPointer
    /// The method's length: it stands at the head's begin.
    let methodLength: Int
    /// The header fields in the order they came.
    let fields: UnsafeBufferPointer<FieldSlice>

    /// The method as it was spelled.
    package var methodName: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: head[..<methodLength]) }

    /// How many header fields the request has.
    package var fieldCount: Int { fields.count }

    /// The value of the first header field called `name`, without white space around it; nil when there is none.
    ///
    /// - Parameter name: The field's name, in any case (RFC 9110 §5.1).
    /// - Complexity: O(number of fields).
    package func field(_ name: StaticString) -> UnsafeRawBufferPointer? {
        for slice in fields where slice.name.count == name.utf8CodeUnitCount {
            if head.slice(slice.name).equalsIgnoringCase(name) { return head.slice(slice.value) }
        }
        return nil
    }

    /// The values of two header fields that may stand once each, in one pass over all fields.
    ///
    /// - Returns: the values, nil where there is none, and whether one of them stands there more than once, of which it
    ///   would be open which is meant.
    /// - Complexity: O(number of fields), without an allocation.
    package func singleFields(
        _ first: StaticString, _ second: StaticString
    ) -> (first: UnsafeRawBufferPointer?, second: UnsafeRawBufferPointer?, areRepeated: Bool) {
        var found: (first: UnsafeRawBufferPointer?, second: UnsafeRawBufferPointer?, areRepeated: Bool) = (
            nil, nil, false
        )
        for slice in fields {
            let length = slice.name.count
            if length == first.utf8CodeUnitCount, head.slice(slice.name).equalsIgnoringCase(first) {
                found.areRepeated = found.areRepeated || found.first != nil
                found.first = head.slice(slice.value)
            } else if length == second.utf8CodeUnitCount, head.slice(slice.name).equalsIgnoringCase(second) {
                found.areRepeated = found.areRepeated || found.second != nil
                found.second = head.slice(slice.value)
            }
        }
        return found
    }

    /// Calls `body` with the value of each header field called `name`, in order (a list may be spread over several
    /// fields, RFC 9110 §5.3).
    ///
    /// - Parameters:
    ///   - name: The field's name, in any case.
    ///   - body: Receives one value, without white space around it.
    package func forEachField(_ name: StaticString, _ body: (UnsafeRawBufferPointer) -> Void) {
        for slice in fields where head.slice(slice.name).equalsIgnoringCase(name) { body(head.slice(slice.value)) }
    }

    /// Calls `body` with name and value of every header field, in order.
    package func forEachField(_ body: (_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Void) {
        for slice in fields { body(head.slice(slice.name), head.slice(slice.value)) }
    }
}

extension HTTPRequest {
    /// What the content is coded with, as all `Content-Encoding` fields together say (RFC 9110 §8.4).
    package var contentCoding: ContentCoding {
        guard hasContentCoding else { return .identity }
        var codings: [String] = []
        forEachField("Content-Encoding") { list in
            forEachElement(of: list) { codings.append(String(decoding: $0, as: UTF8.self).lowercased()) }
        }
        codings.removeAll { $0 == "identity" }
        switch codings.count {
        case 0: return .identity
        // §8.4.1.3: x-gzip is another name of gzip.
        case 1 where codings[0] == "gzip" || codings[0] == "x-gzip": return .gzip
        default: return .unknown(codings.joined(separator: ", "))
        }
    }

    /// The same request with its content decoded.
    package borrowing func withContent(_ content: UnsafeRawBufferPointer) -> HTTPRequest {
        HTTPRequest(
            method: method, path: path, query: query, body: content, isConditional: isConditional,
            hasContentCoding: false, hasOrigin: hasOrigin, head: head, methodLength: methodLength, fields: fields)
    }
}

/// What content is coded with.
package enum ContentCoding: Sendable, Equatable {
    /// As it is.
    case identity
    /// With gzip (RFC 1952), once.
    case gzip
    /// With something else, or more than once.
    case unknown(String)
}

/// Where one header field lies in its head.
struct FieldSlice: Equatable {
    /// The name, without the colon.
    var name: ByteRange
    /// The value, without the white space around it.
    var value: ByteRange
}
