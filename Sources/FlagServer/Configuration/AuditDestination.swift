/// Where records of the audit log are copied to, so that whoever owns this machine cannot rewrite them alone.
enum AuditDestination: Sendable, Equatable {
    /// A file that is appended to.
    case file(String)
    /// A server that is sent them.
    case url(String)

    /// Reads an absolute path, or a URL of `https` (of `http` on this machine alone); nil for anything else.
    init?(_ text: String) {
        if text.hasPrefix("/"), text.count > 1 {
            self = .file(text)
            return
        }
        let isLocal = ["http://127.0.0.1", "http://[::1]", "http://localhost"].contains { prefix in
            text == prefix || [":", "/"].contains { text.hasPrefix(prefix + $0) }
        }
        guard text.hasPrefix("https://") && text.count > "https://".count || isLocal,
            !text.contains(where: \.isWhitespace), !text.contains("@")
        else { return nil }
        self = .url(text)
    }
}
