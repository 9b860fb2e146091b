import CCurl

/// libcurl, loaded.
struct CurlLibrary: @unchecked Sendable {
    // Proof for `@unchecked Sendable`: the table of functions is written once, before anybody has the pointer, and is
    // never freed; the functions may be called from any thread.
    let functions: UnsafeMutablePointer<ccurl_library>

    /// The process's one, loaded when it is first asked for.
    static let shared: Result<CurlLibrary, HTTPClientError> = {
        var reason: UnsafePointer<CChar>?
        guard let functions = ccurl_load(&reason) else {
            let text = reason.map { String(cString: $0) } ?? "out of memory"
            return .failure(HTTPClientError(.library, server: "", reason: "libcurl cannot be loaded: \(text)"))
        }
        return .success(CurlLibrary(functions: functions))
    }()
}
