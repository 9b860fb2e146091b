import HTTPRouting
import HTTPTransport

/// What a request asks of the version of what it is about (RFC 9110 section 13).
extension AdministrationRequest {
    /// Whether the client has the version of a tag already, and asks only for another.
    func isKnown(_ tag: String) -> Bool {
        ifNoneMatch.map { EntityTag.list($0, matches: tag, weakly: true) } ?? false
    }

    /// Whether `If-Match` names a version: `*` is satisfied by whatever is there.
    var namesVersion: Bool { ifMatch.map { $0 != "*" } ?? false }

    /// Refuses to change another version than `If-Match` names.
    ///
    /// - Parameters:
    ///   - thing: what is to be changed, `flag`.
    ///   - tag: the version that there is.
    ///   - other: another tag that stands for it as well.
    /// - Throws: 412 with the tag that there is.
    func requireVersion(of thing: String, _ tag: String, or other: String? = nil) throws(Problem) {
        guard let ifMatch, namesVersion else { return }
        if EntityTag.list(ifMatch, matches: tag, weakly: false) { return }
        if let other, EntityTag.list(ifMatch, matches: other, weakly: false) { return }
        throw Problem(
            .versionMismatch,
            "the \(thing)'s ETag is \(tag), which If-Match does not name: read it again and repeat the change on "
                + "what it is now", headerFields: [("ETag", tag)])
    }
}

extension Outcome {
    /// The client has this version.
    static func notModified(_ tag: String) -> Outcome {
        .respond(HTTPResponse(status: .notModified, fields: [("ETag", tag)]))
    }
}
