import HTTPTransport

/// The origins whose pages may have a browser call the DynamoDB port, and read what comes back
/// (https://fetch.spec.whatwg.org, "CORS protocol").
///
/// Nobody is asked for a credential there, so a page of any other site could read all tables and change everything: by
/// default there is none.
struct PageOrigins: Sendable {
    private let origins: Set<String>

    /// Origins such as `http://localhost:5173`, or `*` for all of them.
    init(_ origins: [String]) { self.origins = Set(origins.map { $0.lowercased() }) }

    /// No page but those of this server, of which it has none.
    static let none = PageOrigins([])

    /// What is wrong with an origin that an operator gives; nil when nothing is.
    static func complaint(about origin: String) -> String? {
        if origin == "*" { return nil }
        let parts = origin.split(separator: "/", omittingEmptySubsequences: false)
        let isOrigin =
            parts.count == 3 && ["http:", "https:"].contains(parts[0]) && parts[1].isEmpty
            && !parts[2].isEmpty
        return isOrigin ? nil : "an origin is http:// or https:// and a host, without a path; or *"
    }

    /// Whether pages of this origin, the value of `Origin`, may call and read.
    func contain(_ origin: UnsafeRawBufferPointer) -> Bool {
        origins.contains("*") || origins.contains(String(decoding: origin, as: UTF8.self).lowercased())
    }
}
