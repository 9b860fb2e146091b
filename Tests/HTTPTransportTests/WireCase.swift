import TestSupport

@testable import HTTPTransport

/// Bytes on a connection and what becomes of them, as `MachineBench` writes it down.
struct WireCase: Sendable, CustomStringConvertible {
    /// Which rule it is about.
    let rule: String
    let bytes: [UInt8]
    let transcript: [String]

    init(_ rule: String, _ text: String, _ transcript: String...) {
        self.rule = rule
        bytes = Array(text.utf8)
        self.transcript = transcript
    }

    init(_ rule: String, bytes: [UInt8], _ transcript: String...) {
        self.rule = rule
        self.bytes = bytes
        self.transcript = transcript
    }

    var description: String { rule }

    /// The statuses of the answers over a socket.
    var statuses: [Int] {
        transcript.compactMap { line in
            if line == "end" { return nil }
            guard line.hasPrefix("! ") else { return 200 }
            return RequestFault.allCases.first { "! \($0)" == line }.map { Int($0.status.code) }
        }
    }

    /// Whether the connection closes behind the last answer.
    var closes: Bool { transcript.last == "end" || transcript.last?.hasPrefix("! ") == true }
}

/// A request with one line or field in place of the usual.
private func get(_ line: String = "GET / HTTP/1.1", _ fields: String = "", host: String = "Host: a\r\n") -> String {
    "\(line)\r\n\(host)\(fields)\r\n"
}

private func post(_ fields: String, _ body: String) -> String {
    "POST /p HTTP/1.1\r\nHost: a\r\n\(fields)\r\n\(body)"
}

private func chunked(_ body: String) -> String { post("Transfer-Encoding: chunked\r\n", body) }

extension WireCase {
    static let all =
        requestLines + targets + hosts + fieldLines + lengths + codings + chunks + connections + expectations

    static let requestLines = [
        WireCase("9112 §3: method, target, version", get(), "GET /|"),
        WireCase("9112 §2.2: an empty line before a request is passed over", "\r\n\r\n" + get(), "GET /|"),
        WireCase(
            "9112 §2.2: an empty line between requests is passed over", get() + "\r\n" + get(), "GET /|", "GET /|"),
        WireCase("9110 §9.1: a method is a token of any kind", get("M-SEARCH /x HTTP/1.1"), "M-SEARCH /x|"),
        WireCase("9110 §9.1: methods are case-sensitive", get("get / HTTP/1.1"), "get /|"),
        WireCase("9112 §3: two spaces", get("GET  / HTTP/1.1"), "! malformedTarget"),
        WireCase("9112 §3: a space behind the version", get("GET / HTTP/1.1 "), "! malformedRequestLine"),
        WireCase("9112 §3: a tab for a space", get("GET\t/ HTTP/1.1"), "! malformedRequestLine"),
        WireCase("9112 §3: no version (HTTP/0.9)", get("GET /"), "! malformedRequestLine"),
        WireCase("9112 §3: a space before the method", " " + get(), "! malformedRequestLine"),
        WireCase("9112 §3: a method that is no token", get("G(T / HTTP/1.1"), "! malformedRequestLine"),
        WireCase("9112 §3: no method", get(" / HTTP/1.1"), "! malformedRequestLine"),
        WireCase("9112 §2.3: the version is case-sensitive", get("GET / http/1.1"), "! malformedRequestLine"),
        WireCase("9112 §2.3: one digit each", get("GET / HTTP/1.10"), "! malformedRequestLine"),
        WireCase("9112 §2.3: no minor version", get("GET / HTTP/1"), "! malformedRequestLine"),
        WireCase("9110 §2.5: a higher minor version is 1.1", get("GET / HTTP/1.7"), "GET /|"),
        WireCase("9110 §15.6.6: another major version", get("GET / HTTP/2.0"), "! unsupportedVersion"),
        WireCase(
            "9110 §15.6.6: the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "! unsupportedVersion"),
        WireCase(
            "9112 §3: a method too long", get(String(repeating: "A", count: 9000) + " / HTTP/1.1"), "! methodTooLong"),
        WireCase(
            "9112 §3: a method too long in a line with other faults", String(repeating: "A", count: 8195) + "\n",
            "! methodTooLong"),
        WireCase("9112 §3: a method without end", String(repeating: "A", count: 8195), "! methodTooLong"),
        WireCase("9112 §2.2: bare LF", "GET / HTTP/1.1\nHost: a\n\n", "! bareLineFeed"),
        WireCase("9112 §2.2: bare LF at the end only", "GET / HTTP/1.1\r\nHost: a\r\n\n", "! bareLineFeed"),
        WireCase("9112 §2.2: bare CR in the request line", get("GET /\rx HTTP/1.1"), "! malformedTarget"),
        WireCase("bytes of another protocol", bytes: [0x16, 0x03, 0x01, 0x02, 0x00], "! malformedRequestLine"),
        WireCase(
            "9112 §3: a request line too long", get("GET /" + String(repeating: "a", count: 9000) + " HTTP/1.1"),
            "! requestLineTooLong"),
        WireCase(
            "9112 §3: a request line without end", "GET /" + String(repeating: "a", count: 8190), "! requestLineTooLong"
        ),
        WireCase(
            "9112 §3: a request line of 8,000 bytes", get("GET /" + String(repeating: "a", count: 8000) + " HTTP/1.1"),
            "GET /" + String(repeating: "a", count: 8000) + "|"),
    ]

    static let targets = [
        WireCase("9112 §3.2.1: path and query", get("GET /a/b?c=d?e HTTP/1.1"), "GET /a/b?c=d?e|"),
        WireCase("9112 §3.2.1: an empty query", get("GET /a? HTTP/1.1"), "GET /a?|"),
        WireCase(
            "3986 §2.1: percent-encoded bytes stay as they are", get("GET /%2F%c3%A9 HTTP/1.1"), "GET /%2F%c3%A9|"),
        WireCase("3986 §2.1: a percent sign without digits", get("GET /%zz HTTP/1.1"), "! malformedTarget"),
        WireCase("3986 §2.1: a percent sign at the end", get("GET /a%2 HTTP/1.1"), "! malformedTarget"),
        WireCase("9112 §3.2: a fragment", get("GET /a#b HTTP/1.1"), "! malformedTarget"),
        WireCase("3986 §2: bytes beyond ASCII", get("GET /é HTTP/1.1"), "! malformedTarget"),
        WireCase("9112 §3.2: a relative path", get("GET a HTTP/1.1"), "! malformedTarget"),
        WireCase("9112 §3.2.2: absolute form", get("GET http://b:80/x?y HTTP/1.1"), "GET /x?y|"),
        WireCase("9112 §3.2.2: absolute form, scheme in capitals", get("GET HTTP://b/x HTTP/1.1"), "GET /x|"),
        WireCase(
            "9110 §7.4: an https target on a connection without TLS", get("GET https://b/x HTTP/1.1"),
            "! misdirectedRequest"),
        WireCase(
            "9112 §3.2.2: the authority of the target replaces another Host",
            get("GET http://b/x HTTP/1.1", host: "Host: c\r\n"), "GET /x|"),
        WireCase("9112 §3.2.2: absolute form without a path", get("GET http://b HTTP/1.1"), "GET /|"),
        WireCase("9112 §3.2.2: absolute form, query without path", get("GET http://b?q HTTP/1.1"), "GET /?q|"),
        WireCase(
            "9112 §3.2.2: absolute form still needs a Host", get("GET http://b/ HTTP/1.1", host: ""), "! missingHost"),
        WireCase("9110 §4.2.1: absolute form with an empty host", get("GET http:///x HTTP/1.1"), "! malformedHost"),
        WireCase(
            "9110 §4.2.4: absolute form with user information", get("GET http://u@b/ HTTP/1.1"), "! malformedHost"),
        WireCase("9112 §3.2.2: another scheme", get("GET ftp://b/x HTTP/1.1"), "! malformedTarget"),
        WireCase("9112 §3.2.4: asterisk form", get("OPTIONS * HTTP/1.1"), "OPTIONS *|"),
        WireCase("9112 §3.2.4: absolute form of the server", get("OPTIONS http://b HTTP/1.1"), "OPTIONS *|"),
        WireCase("9112 §3.2.4: asterisk form is for OPTIONS only", get("GET * HTTP/1.1"), "! malformedTarget"),
        WireCase("9112 §3.2.3: authority form", get("CONNECT b:443 HTTP/1.1"), "! connectMethod"),
        WireCase("9110 §9.3.6: CONNECT without a port", get("CONNECT b HTTP/1.1"), "! malformedTarget"),
        WireCase("9110 §9.3.6: CONNECT with an empty port", get("CONNECT b: HTTP/1.1"), "! malformedTarget"),
        WireCase("9110 §9.3.6: CONNECT with port 0", get("CONNECT b:0 HTTP/1.1"), "! malformedTarget"),
        WireCase("9110 §9.3.6: CONNECT with a bad port", get("CONNECT b:4x HTTP/1.1"), "! malformedTarget"),
        WireCase("9110 §9.3.6: CONNECT to an IPv6 address", get("CONNECT [::1] HTTP/1.1"), "! malformedTarget"),
        WireCase("3986 §2: a bracket that has to be encoded", get("GET /<a> HTTP/1.1"), "! malformedTarget"),
        WireCase("3986 §2: a backslash", get("GET /a\\..\\b HTTP/1.1"), "! malformedTarget"),
        WireCase("3986 §2: a quotation mark in the query", get("GET /?\"a\" HTTP/1.1"), "! malformedTarget"),
        WireCase("3986 §2: braces, a caret, a bar, a back quote", get("GET /{^|`} HTTP/1.1"), "! malformedTarget"),
        WireCase(
            "3986 §2.2: every reserved character", get("GET /!$&'()*+,;=:@-._~?/?[] HTTP/1.1"),
            "GET /!$&'()*+,;=:@-._~?/?[]|"),
        WireCase("9112 §3.2.3: authority form of another method", get("GET b:443 HTTP/1.1"), "! malformedTarget"),
    ]

    static let hosts = [
        WireCase("9112 §3.2: no Host", get(host: ""), "! missingHost"),
        WireCase("9112 §3.2: two Host fields", get(host: "Host: a\r\nHost: a\r\n"), "! repeatedHost"),
        WireCase("9112 §3.2: Host in any case", get(host: "hOsT: a\r\n"), "GET /|"),
        WireCase("9110 §7.2: an empty Host", get(host: "Host:\r\n"), "! malformedHost"),
        WireCase("9110 §7.2: Host with a port", get(host: "Host: a.example:8080\r\n"), "GET /|"),
        WireCase("3986 §3.2.3: Host with an empty port", get(host: "Host: a:\r\n"), "GET /|"),
        WireCase("3986 §3.2.2: Host with an IPv6 literal", get(host: "Host: [::1]:80\r\n"), "GET /|"),
        WireCase("9110 §7.2: Host with user information", get(host: "Host: u@a\r\n"), "! malformedHost"),
        WireCase("9110 §7.2: Host with a bad port", get(host: "Host: a:8x\r\n"), "! malformedHost"),
        WireCase("9110 §7.2: Host with a port too large", get(host: "Host: a:65536\r\n"), "! malformedHost"),
        WireCase("9110 §7.2: Host with an unclosed bracket", get(host: "Host: [::1\r\n"), "! malformedHost"),
        WireCase("9110 §7.2: Host with a bad literal", get(host: "Host: [1:2]\r\n"), "! malformedHost"),
        WireCase("9110 §7.2: Host with something behind the literal", get(host: "Host: [::1]x\r\n"), "! malformedHost"),
        WireCase("9110 §7.2: Host with a space", get(host: "Host: a b\r\n"), "! malformedHost"),
        WireCase("9110 §7.2: Host with a list", get(host: "Host: a,b\r\n"), "! malformedHost"),
        WireCase("9110 §7.2: Host with a path", get(host: "Host: a/b\r\n"), "! malformedHost"),
        WireCase("9110 §7.2: Host with a port alone", get(host: "Host: :80\r\n"), "! malformedHost"),
        WireCase("9112 §3.2: HTTP/1.0 needs no Host", get("GET / HTTP/1.0", host: ""), "GET /|", "end"),
        WireCase(
            "9112 §3.2: HTTP/1.0 has at most one Host", get("GET / HTTP/1.0", host: "Host: a\r\nHost: b\r\n"),
            "! repeatedHost"),
    ]

    static let fieldLines = [
        WireCase("9110 §5.6.3: white space around a value, tabs too", get("GET / HTTP/1.1", "X:\t b \t\r\n"), "GET /|"),
        WireCase("9112 §5: no white space around a value", get("GET / HTTP/1.1", "X:b\r\n"), "GET /|"),
        WireCase("9110 §5.5: an empty value", get("GET / HTTP/1.1", "X:\r\nY: \r\n"), "GET /|"),
        WireCase("9110 §5.5: a value beyond ASCII", get("GET / HTTP/1.1", "X: é\r\n"), "GET /|"),
        WireCase("9112 §5.1: a space before the colon", get("GET / HTTP/1.1", "X : b\r\n"), "! malformedFieldName"),
        WireCase("9112 §5.1: an empty name", get("GET / HTTP/1.1", ": b\r\n"), "! malformedFieldName"),
        WireCase("9112 §5: no colon", get("GET / HTTP/1.1", "Xb\r\n"), "! malformedFieldName"),
        WireCase("9110 §5.1: a name that is no token", get("GET / HTTP/1.1", "X(y): b\r\n"), "! malformedFieldName"),
        WireCase("9110 §5.1: a name beyond ASCII", get("GET / HTTP/1.1", "Xé: b\r\n"), "! malformedFieldName"),
        WireCase("9112 §5.2: a folded line", get("GET / HTTP/1.1", "X: b\r\n c\r\n"), "! obsoleteLineFolding"),
        WireCase(
            "9112 §5.2: a line folded by a tab", get("GET / HTTP/1.1", "X: b\r\n\tc\r\n"), "! obsoleteLineFolding"),
        WireCase(
            "9112 §2.2: white space before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
            "! obsoleteLineFolding"),
        WireCase("9110 §5.5: NUL in a value", get("GET / HTTP/1.1", "X: b\0c\r\n"), "! malformedFieldValue"),
        WireCase("9110 §5.5: bare CR in a value", get("GET / HTTP/1.1", "X: b\rc\r\n"), "! malformedFieldValue"),
        WireCase("9110 §5.5: DEL in a value", get("GET / HTTP/1.1", "X: b\u{7F}\r\n"), "! malformedFieldValue"),
        WireCase(
            "9110 §5.5: a control character late in a long value",
            get("GET / HTTP/1.1", "X: \(String(repeating: "b", count: 77))\u{1}\r\n"), "! malformedFieldValue"),
        WireCase("9112 §2.2: bare LF behind a field", get("GET / HTTP/1.1", "X: b\nY: c\r\n"), "! bareLineFeed"),
        WireCase(
            "6585 §5: too many fields", get("GET / HTTP/1.1", String(repeating: "X: b\r\n", count: 100)),
            "! tooManyFields"
        ),
        WireCase("6585 §5: 100 fields", get("GET / HTTP/1.1", String(repeating: "X: b\r\n", count: 99)), "GET /|"),
        WireCase(
            "6585 §5: fields too large", get("GET / HTTP/1.1", "X: \(String(repeating: "b", count: 33_000))\r\n"),
            "! fieldsTooLarge"),
        WireCase(
            "6585 §5: fields too large in a line with other faults",
            "GET / HTTP/1.1\r\nX: \(String(repeating: "b", count: 32_800))\n", "! fieldsTooLarge"),
        WireCase(
            "6585 §5: fields as large as may be",
            get("GET / HTTP/1.1", "X: \(String(repeating: "b", count: 32 * 1024 - 14))\r\n"), "GET /|"),
        WireCase(
            "6585 §5: fields larger by one byte",
            get("GET / HTTP/1.1", "X: \(String(repeating: "b", count: 32 * 1024 - 13))\r\n"), "! fieldsTooLarge"),
        WireCase(
            "6585 §5: a field without end", "GET / HTTP/1.1\r\nX: \(String(repeating: "b", count: 32_800))",
            "! fieldsTooLarge"),
    ]

    static let lengths = [
        WireCase("9112 §6.2: a body of known length", post("Content-Length: 5\r\n", "hello"), "POST /p|hello"),
        WireCase("9112 §6.2: a body of no bytes", post("Content-Length: 0\r\n", ""), "POST /p|"),
        WireCase("9112 §6.3: no length, no body", post("", ""), "POST /p|"),
        WireCase("9110 §8.6: leading zeros", post("Content-Length: 0005\r\n", "hello"), "POST /p|hello"),
        WireCase(
            "9110 §9.3.1: a GET with a body", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi" + get(),
            "GET /|hi", "GET /|"),
        WireCase("9110 §8.6: a sign", post("Content-Length: +5\r\n", "hello"), "! malformedContentLength"),
        WireCase("9110 §8.6: a minus", post("Content-Length: -1\r\n", ""), "! malformedContentLength"),
        WireCase("9110 §8.6: hexadecimal", post("Content-Length: 0x5\r\n", "hello"), "! malformedContentLength"),
        WireCase("9110 §8.6: two values", post("Content-Length: 5, 6\r\n", "hello"), "! malformedContentLength"),
        WireCase(
            "9110 §8.6: the same value twice", post("Content-Length: 5, 5\r\n", "hello"), "! malformedContentLength"),
        WireCase(
            "9112 §6.3: two fields", post("Content-Length: 5\r\nContent-Length: 6\r\n", "hello"),
            "! malformedContentLength"),
        WireCase("9110 §8.6: no value", post("Content-Length: \r\n", ""), "! malformedContentLength"),
        WireCase(
            "9110 §8.6: a number beyond 64 bits", post("Content-Length: 99999999999999999999\r\n", ""),
            "! malformedContentLength"),
        WireCase("9110 §15.5.14: a body too large", post("Content-Length: 1048577\r\n", ""), "! bodyTooLarge"),
    ]

    static let codings = [
        WireCase(
            "9112 §6.1: both length and coding",
            post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
            "! contentLengthWithTransferEncoding"),
        WireCase(
            "9112 §6.1: both, the other way round",
            post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"),
            "! contentLengthWithTransferEncoding"),
        WireCase(
            "9112 §6.1: a coding in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + get(),
            "! transferEncodingInHTTP10"),
        WireCase(
            "9112 §6.1: an unknown coding", post("Transfer-Encoding: foo, chunked\r\n", ""), "! unknownTransferCoding"),
        WireCase(
            "9112 §6.1: an unknown coding alone", post("Transfer-Encoding: foo\r\n", ""), "! unknownTransferCoding"),
        WireCase("9112 §6.1: gzip", post("Transfer-Encoding: gzip, chunked\r\n", ""), "! unknownTransferCoding"),
        WireCase(
            "9112 §6.3: not chunked at last", post("Transfer-Encoding: gzip\r\n", ""), "! malformedTransferEncoding"),
        WireCase("9112 §6.3: identity", post("Transfer-Encoding: identity\r\n", ""), "! malformedTransferEncoding"),
        WireCase(
            "9112 §6.1: chunked twice", post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"),
            "! malformedTransferEncoding"),
        WireCase(
            "9112 §6.1: chunked twice, in two fields",
            post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
            "! malformedTransferEncoding"),
        WireCase(
            "9112 §6.3: something behind chunked", post("Transfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n"),
            "! malformedTransferEncoding"),
        WireCase(
            "9112 §7: chunked has no parameters", post("Transfer-Encoding: chunked;a=b\r\n", "0\r\n\r\n"),
            "! malformedTransferEncoding"),
        WireCase("9112 §6.1: an empty coding", post("Transfer-Encoding:\r\n", ""), "! malformedTransferEncoding"),
        WireCase(
            "9112 §6.1: a coding behind a vertical tab", post("Transfer-Encoding: \u{B}chunked\r\n", "0\r\n\r\n"),
            "! malformedFieldValue"),
        WireCase("9112 §7: chunked in any case", post("transfer-encoding: CHUNKED\r\n", "0\r\n\r\n"), "POST /p|"),
    ]

    static let chunks = [
        WireCase("9112 §7.1: chunks", chunked("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"), "POST /p|abcde"),
        WireCase(
            "9112 §7.1: sizes in hexadecimal", chunked("a\r\n0123456789\r\nB\r\nabcdefghijk\r\n0\r\n\r\n"),
            "POST /p|0123456789abcdefghijk"),
        WireCase("9112 §7.1: leading zeros", chunked("0003\r\nabc\r\n000\r\n\r\n"), "POST /p|abc"),
        WireCase(
            "9112 §7.1: data that looks like framing", chunked("7\r\n0\r\n\r\nab\r\n0\r\n\r\n"), "POST /p|0\r\n\r\nab"),
        WireCase(
            "9112 §7.1.1: extensions are passed over", chunked("3;a=\"b\" ;c\r\nabc\r\n0;d\r\n\r\n"), "POST /p|abc"),
        WireCase(
            "9112 §7.1.1: white space, quotes and escapes in extensions",
            chunked("3\t;\ta = b ; c=\"\\\";\" ;d\r\nabc\r\n0\r\n\r\n"), "POST /p|abc"),
        WireCase("9112 §7.1.1: an extension without a name", chunked("3;\r\nabc\r\n0\r\n\r\n"), "! malformedChunk"),
        WireCase("9112 §7.1.1: an extension without a value", chunked("3;a=\r\nabc\r\n0\r\n\r\n"), "! malformedChunk"),
        WireCase(
            "9112 §7.1.1: a quotation without an end", chunked("3;a=\"b\\\"\r\nabc\r\n0\r\n\r\n"), "! malformedChunk"),
        WireCase("9112 §7.1.1: white space at the end", chunked("3;a \r\nabc\r\n0\r\n\r\n"), "! malformedChunk"),
        WireCase("9112 §7.1.1: white space before an extension", chunked("3 ;a\r\nabc\r\n0\r\n\r\n"), "POST /p|abc"),
        WireCase(
            "9112 §7.1.2: trailers are dropped", chunked("1\r\na\r\n0\r\nX: y\r\nHost: z\r\n\r\n") + get(), "POST /p|a",
            "GET /|"),
        WireCase("9112 §7.1: another request follows", chunked("1\r\na\r\n0\r\n\r\n") + get(), "POST /p|a", "GET /|"),
        WireCase("9112 §7.1: bare LF behind the size", chunked("3\nabc\r\n0\r\n\r\n"), "! malformedChunk"),
        WireCase("9112 §7.1: bare CR behind the size", chunked("3\rabc\r\n0\r\n\r\n"), "! malformedChunk"),
        WireCase("9112 §7.1: junk behind the size", chunked("3x\r\nabc\r\n0\r\n\r\n"), "! malformedChunk"),
        WireCase("9112 §7.1: a space behind the size", chunked("3 \r\nabc\r\n0\r\n\r\n"), "! malformedChunk"),
        WireCase("9112 §7.1: a space before the size", chunked(" 3\r\nabc\r\n0\r\n\r\n"), "! malformedChunk"),
        WireCase("9112 §7.1: no size", chunked("\r\nabc\r\n0\r\n\r\n"), "! malformedChunk"),
        WireCase("9112 §7.1: 0x", chunked("0x3\r\nabc\r\n0\r\n\r\n"), "! malformedChunk"),
        WireCase("9112 §7.1: a negative size", chunked("-1\r\nabc\r\n0\r\n\r\n"), "! malformedChunk"),
        WireCase("9112 §7.1: a size beyond 64 bits", chunked("10000000000000003\r\nabc\r\n"), "! malformedChunk"),
        WireCase("9112 §7.1: a size of 63 bits", chunked("7fffffffffffffff\r\nabc\r\n"), "! bodyTooLarge"),
        WireCase("9112 §7.1: no CRLF behind the data", chunked("3\r\nabcd\r\n0\r\n\r\n"), "! malformedChunk"),
        WireCase("9112 §7.1: bare LF behind the data", chunked("3\r\nabc\n0\r\n\r\n"), "! malformedChunk"),
        WireCase(
            "9112 §7.1.1: an extension without end", chunked("3;\(String(repeating: "a", count: 1100))"),
            "! malformedChunk"),
        WireCase(
            "9112 §7.1.1: a control character in an extension", chunked("3;a\u{1}\r\nabc\r\n"), "! malformedChunk"),
        WireCase("9112 §7.1.2: a malformed trailer", chunked("0\r\nX y\r\n\r\n"), "! malformedTrailer"),
        WireCase("9112 §7.1.2: a folded trailer", chunked("0\r\nX: y\r\n z\r\n\r\n"), "! malformedTrailer"),
        WireCase(
            "9112 §7.1.2: too many trailers", chunked("0\r\n" + String(repeating: "X: y\r\n", count: 101)),
            "! malformedTrailer"),
    ]

    static let connections = [
        WireCase("9112 §9.3: 1.1 stays open", get() + get(), "GET /|", "GET /|"),
        WireCase(
            "9112 §9.3.2: answers in order", get("GET /1 HTTP/1.1") + get("GET /2 HTTP/1.1") + get("GET /3 HTTP/1.1"),
            "GET /1|", "GET /2|", "GET /3|"),
        WireCase(
            "9112 §9.6: close, and what follows is ignored", get("GET / HTTP/1.1", "Connection: close\r\n") + get(),
            "GET /|", "end"),
        WireCase(
            "9110 §7.6.1: options are a list in any case", get("GET / HTTP/1.1", "Connection: x, ClOsE\r\n") + get(),
            "GET /|", "end"),
        WireCase(
            "9110 §7.6.1: options in two fields",
            get("GET / HTTP/1.1", "Connection: x\r\nConnection: close\r\n") + get(), "GET /|", "end"),
        WireCase(
            "9110 §7.6.1: a longer word is not close", get("GET / HTTP/1.1", "Connection: closed\r\n") + get(),
            "GET /|", "GET /|"),
        WireCase(
            "9110 §7.8: an upgrade is not taken up", get("GET / HTTP/1.1", "Connection: upgrade\r\nUpgrade: h2c\r\n"),
            "GET /|"),
        WireCase("9110 §5.6.1: empty options", get("GET / HTTP/1.1", "Connection: ,, ,\r\n"), "GET /|"),
        WireCase(
            "9110 §10.1.4: trailers may be welcome",
            get("GET / HTTP/1.1", "TE: trailers, x;q=0.5\r\nConnection: TE\r\n"),
            "GET /|"),
        WireCase("9112 §9.3: 1.0 closes", get("GET / HTTP/1.0") + get(), "GET /|", "end"),
        WireCase(
            "9112 §9.3: 1.0 with keep-alive stays open",
            get("GET / HTTP/1.0", "Connection: Keep-Alive\r\n") + get("GET /2 HTTP/1.0"), "GET /|", "GET /2|", "end"),
        WireCase(
            "9112 §9.3: close beats keep-alive",
            get("GET / HTTP/1.1", "Connection: keep-alive, close\r\n") + get(), "GET /|", "end"),
        WireCase("an answer before a fault is given", get() + "BAD\r\n", "GET /|", "! malformedRequestLine"),
    ]

    static let expectations = [
        WireCase(
            "9110 §10.1.1: an unknown expectation", post("Expect: x\r\nContent-Length: 1\r\n", "a"),
            "! unknownExpectation"),
        WireCase(
            "9110 §10.1.1: an unknown expectation behind 100-continue",
            post("Expect: 100-continue, x=y\r\nContent-Length: 1\r\n", "a"), "! unknownExpectation"),
        WireCase(
            "9110 §5.6.1: expectations are a list, in which elements may be empty",
            post("Expect: , 100-continue ,\r\n", ""), "POST /p|"),
        WireCase("9110 §10.1.1: no expectation without a body", post("Expect: 100-continue\r\n", ""), "POST /p|"),
        WireCase(
            "9110 §10.1.1: HTTP/1.0 knows no 100",
            "POST /p HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\na", "POST /p|a", "end"),
        WireCase(
            "9110 §10.1.1: too large a body is refused without 100",
            post("Expect: 100-continue\r\nContent-Length: 1048577\r\n", ""), "! bodyTooLarge"),
    ]
}

extension [UInt8] {
    /// These bytes in pieces of random lengths.
    func split(seed: UInt64) -> [[UInt8]] {
        var generator = SeededGenerator(seed: seed)
        var pieces: [[UInt8]] = []
        var start = 0
        while start < count {
            let length = Int.random(in: 1...Swift.max(1, Swift.min(count - start, 40)), using: &generator)
            pieces.append(Array(self[start..<start + length]))
            start += length
        }
        return pieces
    }
}
