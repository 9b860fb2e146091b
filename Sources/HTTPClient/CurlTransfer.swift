import CCurl
import Platform

/// One request under way and what has come of its response. Used on its client's queue only.
final class CurlTransfer {
    typealias Completion = @Sendable (Result<HTTPClientResponse, HTTPClientError>) -> Void

    private let request: HTTPClientRequest
    private let settings: HTTPClientSettings
    private let completion: Completion
    private var library: CurlLibrary?
    private var easy: UnsafeMutableRawPointer?
    private var list: UnsafeMutablePointer<curl_slist>?
    private let message = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
    private var fields: [(name: String, value: String)] = []
    private var headerBytes = 0
    private var body: [UInt8] = []
    /// Why receiving was stopped from here.
    private var refusal: String?

    init(_ request: HTTPClientRequest, _ settings: HTTPClientSettings, _ completion: @escaping Completion) {
        self.request = request
        self.settings = settings
        self.completion = completion
        message.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit {
        if let library {
            if let easy { library.functions.pointee.easy_cleanup(easy) }
            library.functions.pointee.slist_free_all(list)
        }
        message.deallocate()
    }

    private var responseBytes: Int { request.responseBytes ?? settings.responseBytes }

    // MARK: Asking

    /// Makes libcurl's handle for the request; it belongs to this object. Nil when libcurl refuses a setting, of which
    /// none may be left out.
    func prepare(_ library: CurlLibrary) -> UnsafeMutableRawPointer? {
        guard let easy = library.functions.pointee.easy_init() else { return nil }
        self.library = library
        self.easy = easy
        let options = CurlOptions(library: library, easy: easy)
        options.set(CURLOPT_URL, request.url)
        if let path = request.unixSocket { options.set(CURLOPT_UNIX_SOCKET_PATH, path) }
        options.set(CURLOPT_PROTOCOLS_STR, "http,https")
        options.set(CURLOPT_FOLLOWLOCATION, 0)
        options.set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1)
        options.set(CURLOPT_SSL_VERIFYPEER, 1)
        options.set(CURLOPT_SSL_VERIFYHOST, 2)
        options.set(CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2)
        if let file = settings.certificateFile {
            options.set(CURLOPT_CAINFO, file)
            // The system's directory of certificates would be trusted as well.
            options.set(CURLOPT_CAPATH, pointer: nil)
        }
        // Without signals: there are other threads.
        options.set(CURLOPT_NOSIGNAL, 1)
        options.set(CURLOPT_CONNECTTIMEOUT_MS, settings.connectTimeout.wholeMilliseconds)
        options.set(CURLOPT_TIMEOUT_MS, (request.timeout ?? settings.timeout).wholeMilliseconds)
        options.set(CURLOPT_USERAGENT, settings.userAgent)
        options.set(CURLOPT_ACCEPT_ENCODING, "gzip")
        options.set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        options.set(CURLOPT_ERRORBUFFER, pointer: message)
        setContent(options)
        setReceivers(options)
        return options.isComplete ? easy : nil
    }

    private func setContent(_ options: CurlOptions) {
        if let body = request.body {
            options.setSize(CURLOPT_POSTFIELDSIZE_LARGE, body.count)
            body.withUnsafeBytes { bytes in
                // Nothing at all would mean that a callback gives the content.
                withUnsafeBytes(of: 0) { empty in
                    options.set(CURLOPT_COPYPOSTFIELDS, pointer: bytes.baseAddress ?? empty.baseAddress)
                }
            }
        }
        if request.method == "HEAD" { options.set(CURLOPT_NOBODY, 1) }
        options.set(CURLOPT_CUSTOMREQUEST, request.method)
        var lines = request.fields.map { $0.value.isEmpty ? "\($0.name);" : "\($0.name): \($0.value)" }
        let namesType = request.fields.contains { $0.name.lowercased() == "content-type" }
        // libcurl would call every content a form.
        if request.body != nil, !namesType { lines.append("Content-Type:") }
        for line in lines {
            guard let longer = options.library.functions.pointee.slist_append(list, line) else {
                return options.noteMissing()
            }
            list = longer
        }
        options.set(CURLOPT_HTTPHEADER, pointer: list)
    }

    private func setReceivers(_ options: CurlOptions) {
        // Not retained: the handle is used only while its client holds this object.
        let this = Unmanaged.passUnretained(self).toOpaque()
        options.set(CURLOPT_WRITEDATA, pointer: this)
        options.set(CURLOPT_WRITEFUNCTION) { bytes, _, count, this in
            guard let bytes, let this else { return 0 }
            let transfer = Unmanaged<CurlTransfer>.fromOpaque(this).takeUnretainedValue()
            return transfer.receiveContent(UnsafeRawBufferPointer(start: bytes, count: count)) ? count : 0
        }
        options.set(CURLOPT_HEADERDATA, pointer: this)
        options.set(CURLOPT_HEADERFUNCTION) { bytes, _, count, this in
            guard let bytes, let this else { return 0 }
            let transfer = Unmanaged<CurlTransfer>.fromOpaque(this).takeUnretainedValue()
            return transfer.receiveLine(UnsafeRawBufferPointer(start: bytes, count: count)) ? count : 0
        }
    }

    // MARK: Receiving

    private func receiveContent(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count <= responseBytes - body.count else {
            refusal = "the response is longer than \(responseBytes) bytes"
            return false
        }
        body.append(contentsOf: bytes)
        request.onContent?(bytes)
        return true
    }

    /// A status line, a field or the empty line at the end; a status line begins anew after an interim answer.
    private func receiveLine(_ bytes: UnsafeRawBufferPointer) -> Bool {
        headerBytes += bytes.count
        guard headerBytes <= settings.headerBytes else {
            refusal = "the response's header is longer than \(settings.headerBytes) bytes"
            return false
        }
        if bytes.starts(with: "HTTP/".utf8) {
            fields = []
        } else if let colon = bytes.firstIndex(of: UInt8(ascii: ":")) {
            let value = bytes[(colon + 1)...].drop { $0 == 0x20 || $0 == 0x09 }
            let end = value.lastIndex { $0 > 0x20 }.map { $0 + 1 } ?? value.startIndex
            fields.append(
                (String(decoding: bytes[..<colon], as: UTF8.self), String(decoding: value[..<end], as: UTF8.self)))
        }
        return true
    }

    // MARK: Ending

    /// What became of it, when libcurl is done with it.
    func outcome(_ code: CURLcode, _ library: CurlLibrary) -> Result<HTTPClientResponse, HTTPClientError> {
        guard let easy else { return .failure(error(.failed, "there was no transfer")) }
        if let refusal { return .failure(error(.tooLarge, refusal)) }
        guard code != CURLE_OK else {
            let status = ccurl_status(library.functions, easy)
            return .success(HTTPClientResponse(status: Int(status), fields: fields, body: body))
        }
        let detail = String(cString: message)
        let general = library.functions.pointee.easy_strerror(code).map { String(cString: $0) } ?? "error \(code)"
        let isConnected = ccurl_was_connected(library.functions, easy) != 0
        return .failure(error(Self.kind(of: code, isConnected: isConnected), detail.isEmpty ? general : detail))
    }

    /// Tells the requester.
    func finish(_ outcome: Result<HTTPClientResponse, HTTPClientError>) {
        completion(outcome)
    }

    /// Tells the requester why there is no response.
    func fail(_ kind: HTTPClientError.Kind, _ reason: String) {
        completion(.failure(error(kind, reason)))
    }

    private func error(_ kind: HTTPClientError.Kind, _ reason: String) -> HTTPClientError {
        HTTPClientError(kind, server: request.server, reason: reason)
    }

    private static func kind(of code: CURLcode, isConnected: Bool) -> HTTPClientError.Kind {
        switch code {
        case CURLE_URL_MALFORMAT: .invalidRequest
        case CURLE_COULDNT_RESOLVE_HOST: .unresolved
        case CURLE_COULDNT_RESOLVE_PROXY, CURLE_PROXY: .proxy
        case CURLE_COULDNT_CONNECT: .unreachable
        case CURLE_OPERATION_TIMEDOUT: isConnected ? .timeout : .connectTimeout
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_ISSUER_ERROR: .untrusted
        case CURLE_SSL_CACERT_BADFILE: .certificateFile
        case CURLE_SSL_CONNECT_ERROR: .handshake
        case CURLE_GOT_NOTHING, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_PARTIAL_FILE, CURLE_WEIRD_SERVER_REPLY,
            CURLE_BAD_CONTENT_ENCODING, CURLE_UNSUPPORTED_PROTOCOL:
            .broken
        default: .failed
        }
    }
}

/// Sets libcurl's options and notes whether each was taken.
final class CurlOptions {
    let library: CurlLibrary
    private let easy: UnsafeMutableRawPointer
    /// Whether all options were taken.
    private(set) var isComplete = true

    init(library: CurlLibrary, easy: UnsafeMutableRawPointer) {
        self.library = library
        self.easy = easy
    }

    func set(_ option: CURLoption, _ value: Int) {
        note(ccurl_set_long(library.functions, easy, option, value))
    }

    func setSize(_ option: CURLoption, _ value: Int) {
        note(ccurl_set_size(library.functions, easy, option, Int64(value)))
    }

    /// libcurl copies the text.
    func set(_ option: CURLoption, _ text: String) {
        text.withCString { note(ccurl_set_pointer(library.functions, easy, option, $0)) }
    }

    func set(_ option: CURLoption, pointer: UnsafeRawPointer?) {
        note(ccurl_set_pointer(library.functions, easy, option, pointer))
    }

    func set(_ option: CURLoption, _ function: ccurl_receive) {
        note(ccurl_set_receive(library.functions, easy, option, function))
    }

    /// There is no memory for what an option would be set to.
    func noteMissing() {
        isComplete = false
    }

    private func note(_ code: CURLcode) {
        if code != CURLE_OK { isComplete = false }
    }
}

extension Duration {
    /// At least one: zero would mean for ever.
    fileprivate var wholeMilliseconds: Int {
        max(1, milliseconds)
    }
}
