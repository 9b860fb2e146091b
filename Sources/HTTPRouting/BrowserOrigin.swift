import Bytes
import HTTPTransport

/// Tells requests apart that a browser sends on behalf of some other site's page.
///
/// A page may have a browser post forms and plain text anywhere, without asking first
/// (https://fetch.spec.whatwg.org/#cors-safelisted-request-header), so a server without authentication on a developer's
/// machine could be changed by whatever page is open there. The browser says where such a request comes from; programs
/// and curl send neither field, and are not asked for a particular media type instead.
package enum BrowserOrigin {
    /// What every response of both ports says to browsers and caches: that it is what its type says, and that it may
    /// have changed; where it depends on who asks, that nobody keeps it; over TLS, that whoever came by it once comes
    /// no other way for a year (RFC 6797).
    ///
    /// - Parameters:
    ///   - dependsOnCaller: whether callers show who they are.
    ///   - isSecure: whether the port has TLS.
    package static func standingFields(
        dependsOnCaller: Bool, isSecure: Bool
    ) -> [(name: StaticString, value: StaticString)] {
        [
            ("X-Content-Type-Options", "nosniff"),
            ("Cache-Control", dependsOnCaller ? "no-store" : "private, no-cache"),
        ] + (isSecure ? [("Strict-Transport-Security", "max-age=31536000")] : [])
    }

    /// Whether a browser says that a page of this server sent the request: what a browser shows by itself, as a cookie,
    /// says nothing of that.
    package static func isOwnPage(_ request: borrowing HTTPRequest) -> Bool {
        if let site = request.field("Sec-Fetch-Site") { return site.hasSameBytes(as: "same-origin") }
        return request.hasOrigin && !isForeign(request)
    }

    /// Whether the request comes from a page of another site.
    ///
    /// `Sec-Fetch-Site` (https://www.w3.org/TR/fetch-metadata/) decides where it stands, else `Origin` (RFC 6454): its
    /// host and port have to be those of `Host`.
    package static func isForeign(_ request: borrowing HTTPRequest) -> Bool {
        if let site = request.field("Sec-Fetch-Site") {
            return !site.hasSameBytes(as: "same-origin") && !site.hasSameBytes(as: "none")
        }
        guard request.hasOrigin, let origin = request.field("Origin") else { return false }
        let text = String(decoding: origin, as: UTF8.self).lowercased()
        let host = String(decoding: request.field("Host") ?? .init(start: nil, count: 0), as: UTF8.self).lowercased()
        return text != "http://" + host && text != "https://" + host
    }
}

extension Problem {
    /// A change or an evaluation that a page of another site asks for.
    package static let foreignOrigin = Problem(
        .foreignOrigin,
        "a browser sent this for a page of another site (Origin or Sec-Fetch-Site says so); only pages of this server "
            + "and programs may change or evaluate flags, and pages of cors.origins may evaluate them")

    /// A request by a name that is not this server's.
    package static let unknownHost = Problem(
        .misdirectedRequest,
        "Host names another server: this one answers to addresses, localhost, the names that it listens on, the "
            + "machine's own and those in its setting hosts (FLAG_SERVER_HOSTS): add it there if it is this one's")
}
