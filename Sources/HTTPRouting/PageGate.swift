import Access
import HTTPTransport

/// Which pages of other origins come in on one event loop, and what their browsers are told of it
/// (https://fetch.spec.whatwg.org/#http-cors-protocol).
///
/// What answers say is attached to the request when its head is there, so that a browser also shows its page why the
/// request was refused, or that it took too long. Never `Access-Control-Allow-Credentials`: a page shows a key, and
/// what a browser keeps for this server is not asked for.
struct PageGate {
    /// What a page is told that may come in.
    private struct Welcome {
        /// As `Access-Control-Allow-Origin` has it.
        let origin: [UInt8]
        let fields: AttachedFields

        init(_ origin: [UInt8]) {
            self.origin = origin
            fields = AttachedFields([
                ("Access-Control-Allow-Origin", String(decoding: origin, as: UTF8.self)), ("Vary", "Origin"),
                ("Access-Control-Expose-Headers", PageGate.exposedFields),
            ])
        }
    }

    /// What pages may read beside what they always may.
    private static let exposedFields = "ETag, Retry-After, RateLimit, API-Key-Expires, X-Request-Id"
    /// How much a browser may ask to send: what it asks for is said again.
    private static let requestedFieldsMaximum = 1024

    private let origins: PageOrigins
    private let named: [Welcome]
    private let all: Welcome?
    /// Whoever keeps a response for others has to know that the next page may be told something else.
    private let others = AttachedFields([("Vary", "Origin")])

    /// A gate for pages of these origins; nil where there is none.
    init?(_ origins: PageOrigins) {
        if origins.isEmpty { return nil }
        self.origins = origins
        named = origins.named.map { Welcome($0) }
        all = origins.containsAll ? Welcome(Array("*".utf8)) : nil
    }

    /// Has the response to a request tell browsers and caches what they need, whoever gives it.
    ///
    /// - Parameter caller: who sent it; nil for a stranger.
    /// - Returns: whether a page sent it that may come in.
    @inline(__always)
    func admits(_ request: borrowing HTTPRequest, of caller: Caller?, _ exchange: inout Exchange) -> Bool {
        guard request.hasOrigin, let welcome = welcome(request, caller) else {
            exchange.attach(others)
            return false
        }
        exchange.attach(welcome.fields)
        return true
    }

    /// Answers a browser that asks beforehand whether a page may send something; false when none asks, or its page may
    /// not.
    ///
    /// - Parameter methods: the methods that pages may use there.
    func answersPreflight(
        _ request: borrowing HTTPRequest, of caller: Caller?, allowing methods: String, _ exchange: inout Exchange
    ) -> Bool {
        guard request.method == .options, request.hasOrigin, request.field("Access-Control-Request-Method") != nil,
            let welcome = welcome(request, caller)
        else { return false }
        let wanted = request.field("Access-Control-Request-Headers")
        exchange.respond(.noContent) { fields in
            fields.add("Access-Control-Allow-Origin", welcome.origin)
            fields.add("Access-Control-Allow-Methods", Array(methods.utf8))
            if let wanted, wanted.count <= Self.requestedFieldsMaximum {
                fields.add("Access-Control-Allow-Headers", bytes: wanted)
            }
            fields.add("Access-Control-Max-Age", "86400")
            fields.add("Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers")
        }
        return true
    }

    /// What the page is told that had a browser send the request; nil when it may not come in.
    ///
    /// `*` is for those who show a key that everybody may read anyway. Who shows none, or one that has ended, is let in
    /// nowhere, and is to read why.
    @inline(never)
    private func welcome(_ request: borrowing HTTPRequest, _ caller: Caller?) -> Welcome? {
        guard let origin = request.field("Origin") else { return nil }
        if let place = origins.place(of: origin) { return named[place] }
        return caller?.seesClientSideOnly ?? true ? all : nil
    }
}
