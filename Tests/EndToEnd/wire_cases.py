"""What bytes on a connection come to: one table for wire-server and, beside it, nginx and Node.

An outcome is the statuses of all answers and what became of the connection: `200 kept`, `400 closed`. Behind the bytes
of a case comes one more request, for what does not exist; `kept` means that it was answered, with 404. A smuggled
request would show as one more answer.
"""

from dataclasses import dataclass

PROBE = b"GET /probe HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
"""Answered with 404 on a connection that is still open."""


@dataclass(frozen=True)
class Case:
    rule: str
    """What it is about, and where the RFC says so."""
    data: bytes
    outcome: str
    """What wire-server does."""
    is_head: bool = False
    """Whether the request is HEAD: its answer has a length and no content."""

    def __str__(self):
        return self.rule


def get(line="GET / HTTP/1.1", *fields, host="Host: a") -> bytes:
    return "\r\n".join([line, *([host] if host else []), *fields, "", ""]).encode("latin-1")


def post(body: bytes, *fields, host="Host: a", version="1.1") -> bytes:
    return get(f"POST /echo HTTP/{version}", *fields, host=host) + body


def chunked(body: bytes, *fields) -> bytes:
    return post(body, "Transfer-Encoding: chunked", *fields)


SMUGGLED = get()
"""A request where there should be none: answered, it shows as one more 200."""

LONG = "a" * 70_000

REQUEST_LINES = [
    Case("9112 §3: method, target, version", get(), "200 kept"),
    Case("9112 §2.2: an empty line before a request is passed over", b"\r\n" + get(), "200 kept"),
    Case("9112 §2.2: bare LF ends no line", get().replace(b"\r\n", b"\n"), "400 closed"),
    Case("9112 §2.2: bare LF ends no field", b"GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", "400 closed"),
    Case("9112 §2.2: bare CR in the request line", get("GET /\ra HTTP/1.1"), "400 closed"),
    Case("9112 §3: two spaces behind the method", get("GET  / HTTP/1.1"), "400 closed"),
    Case("9112 §3: two spaces before the version", get("GET /  HTTP/1.1"), "400 closed"),
    Case("9112 §3: a tab for a space", get("GET\t/ HTTP/1.1"), "400 closed"),
    Case("9112 §3: white space behind the version", get("GET / HTTP/1.1 "), "400 closed"),
    Case("9112 §3: no target", get("GET HTTP/1.1"), "400 closed"),
    Case("9112 §3: a method that is no token", get("G@T / HTTP/1.1"), "400 closed"),
    Case("9110 §9.1: methods are case-sensitive", get("get / HTTP/1.1"), "501 kept"),
    Case("9110 §9.1: an unknown method", get("BREW / HTTP/1.1"), "501 kept"),
    Case("9112 §3: a method longer than any", get(f"{LONG[:9000]} / HTTP/1.1"), "501 closed"),
    Case("9112 §3: a target longer than any", get(f"GET /{LONG} HTTP/1.1"), "414 closed"),
    Case("9110 §15.5.6: a known method elsewhere", get("DELETE / HTTP/1.1"), "405 kept"),
    Case("9110 §9.3.6: CONNECT", get("CONNECT a:443 HTTP/1.1"), "501 closed"),
    Case("9112 §3.2.3: authority form of another method", get("GET a:443 HTTP/1.1"), "400 closed"),
    Case("9110 §9.3.8: TRACE", get("TRACE / HTTP/1.1"), "405 kept"),
    Case("9110 §9.3.2: HEAD", get("HEAD / HTTP/1.1"), "200 kept", is_head=True),
    Case("HTTP/0.9", b"GET /\r\n", "400 closed"),
    Case("9110 §2.5: version 0.9", get("GET / HTTP/0.9"), "505 closed"),
    Case("9110 §15.6.6: version 2.0", get("GET / HTTP/2.0"), "505 closed"),
    Case("9113 §3.4: the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505 closed"),
    Case("9110 §2.5: version 1.9 is answered as 1.1", get("GET / HTTP/1.9"), "200 kept"),
    Case("9112 §2.3: version 1.10", get("GET / HTTP/1.10"), "400 closed"),
    Case("9112 §2.3: version 01.1", get("GET / HTTP/01.1"), "400 closed"),
    Case("9112 §2.3: http/1.1", get("GET / http/1.1"), "400 closed"),
    Case("8446 §5.1: a hello of TLS", b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00\r\n\r\n", "400 closed"),
]

TARGETS = [
    Case("9112 §3.2.1: a query", get("GET /?a=b&c HTTP/1.1"), "200 kept"),
    Case("9110 §4.2.3: an unreserved character may be encoded", post(b"", "Content-Length: 0").replace(
        b"/echo", b"/%65cho"), "200 kept"),
    Case("3986 §2.1: % without digits", get("GET /%zz HTTP/1.1"), "400 closed"),
    Case("3986 §2.1: % at the end", get("GET /%4 HTTP/1.1"), "400 closed"),
    Case("3986 §2.2: an encoded / is no /", get("GET %2F HTTP/1.1"), "400 closed"),
    Case("3986 §3.3: dot segments lead nowhere", get("GET /../../etc/passwd HTTP/1.1"), "404 kept"),
    Case("3986 §2.4: nothing is decoded twice", get("GET /%252e%252e/ HTTP/1.1"), "404 kept"),
    Case("9112 §3.2: NUL", get("GET /\0 HTTP/1.1"), "400 closed"),
    Case("9112 §3.2: an encoded NUL is a byte like any other", get("GET /%00 HTTP/1.1"), "404 kept"),
    Case("9112 §3.2: a fragment", get("GET /#a HTTP/1.1"), "400 closed"),
    Case("3986 §2: a byte beyond ASCII", get("GET /\xe9 HTTP/1.1"), "400 closed"),
    Case("3986 §2: a backslash", get("GET /\\a HTTP/1.1"), "400 closed"),
    Case("9112 §3.2.2: absolute form", get("GET http://a/ HTTP/1.1"), "200 kept"),
    Case("9112 §3.2.2: its authority replaces Host", get("GET http://a/ HTTP/1.1", host="Host: b"), "200 kept"),
    Case("9112 §3.2.2: Host has to be there all the same", get("GET http://a/ HTTP/1.1", host=None), "400 closed"),
    Case("9112 §3.2.2: no path is /", get("GET http://a HTTP/1.1"), "200 kept"),
    Case("9110 §4.2.1: an empty host", get("GET http:/// HTTP/1.1"), "400 closed"),
    Case("9110 §4.2.4: user information", get("GET http://u@a/ HTTP/1.1"), "400 closed"),
    Case("9110 §7.4: https on a connection without TLS", get("GET https://a/ HTTP/1.1"), "421 closed"),
    Case("9112 §3.2.2: a scheme of another protocol", get("GET ftp://a/ HTTP/1.1"), "400 closed"),
    Case("9112 §3.2.4: asterisk form", get("OPTIONS * HTTP/1.1"), "204 kept"),
    Case("9112 §3.2.4: asterisk form of another method", get("GET * HTTP/1.1"), "400 closed"),
    Case("9110 §9.3.7: OPTIONS of a resource", get("OPTIONS / HTTP/1.1"), "204 kept"),
]

HOSTS = [
    Case("9112 §3.2: no Host", get(host=None), "400 closed"),
    Case("9112 §3.2: two Host fields", get("GET / HTTP/1.1", "Host: a"), "400 closed"),
    Case("9112 §3.2: two Host fields that differ", get("GET / HTTP/1.1", "Host: b"), "400 closed"),
    Case("9110 §7.2: an empty Host", get(host="Host:"), "400 closed"),
    Case("9110 §7.2: a port that is none", get(host="Host: a:b"), "400 closed"),
    Case("9110 §7.2: a port beyond 65535", get(host="Host: a:70000"), "400 closed"),
    Case("9110 §7.2: user information", get(host="Host: u@a"), "400 closed"),
    Case("9110 §7.2: a path", get(host="Host: a/b"), "400 closed"),
    Case("9110 §7.2: an unclosed bracket", get(host="Host: [::1"), "400 closed"),
    Case("9110 §7.2: a list", get(host="Host: a, b"), "400 closed"),
    Case("9110 §7.2: a list without white space", get(host="Host: a,b"), "400 closed"),
    Case("9110 §7.2: a port", get(host="Host: a:8080"), "200 kept"),
    Case("9110 §7.2: an IPv6 address", get(host="Host: [::1]:80"), "200 kept"),
    Case("9112 §3.2: HTTP/1.0 needs none", get("GET / HTTP/1.0", host=None), "200 closed"),
    Case("9112 §3.2: HTTP/1.0 has no two", get("GET / HTTP/1.0", "Host: a"), "400 closed"),
]

FIELDS = [
    Case("9110 §5.6.3: white space around a value", get("GET / HTTP/1.1", "X:\t b \t"), "200 kept"),
    Case("9110 §5.5: a value beyond ASCII", get("GET / HTTP/1.1", "X: \xe9"), "200 kept"),
    Case("9112 §5.1: white space before the colon", get("GET / HTTP/1.1", "X : b"), "400 closed"),
    Case("9112 §5.1: a tab before the colon", get("GET / HTTP/1.1", "X\t: b"), "400 closed"),
    Case("9112 §5.1: white space before the colon of a length", post(b"", "Content-Length : 0"), "400 closed"),
    Case("9112 §5.2: obs-fold", get("GET / HTTP/1.1", "X: b", " c"), "400 closed"),
    Case("9112 §5.2: obs-fold of Transfer-Encoding", post(b"", "Transfer-Encoding:", " chunked"), "400 closed"),
    Case("9112 §2.2: white space before the first field", get("GET / HTTP/1.1", host=" Host: a"), "400 closed"),
    Case("9112 §5: no colon", get("GET / HTTP/1.1", "X"), "400 closed"),
    Case("9112 §5: no name", get("GET / HTTP/1.1", ": b"), "400 closed"),
    Case("9110 §5.1: a name that is no token", get("GET / HTTP/1.1", "X(: b"), "400 closed"),
    Case("9110 §5.1: a name beyond ASCII", get("GET / HTTP/1.1", "X\xe9: b"), "400 closed"),
    Case("9110 §5.5: NUL in a value", get("GET / HTTP/1.1", "X: \0"), "400 closed"),
    Case("9110 §5.5: bare CR in a value", get("GET / HTTP/1.1", "X: b\rc"), "400 closed"),
    Case("9110 §5.5: another control character in a value", get("GET / HTTP/1.1", "X: \x01"), "400 closed"),
    Case("6585 §5: a value too long", get("GET / HTTP/1.1", f"X: {LONG}"), "431 closed"),
    Case("6585 §5: too many fields", get("GET / HTTP/1.1", *["X: b"] * 2500), "431 closed"),
]

LENGTHS = [
    Case("9112 §6.2: a body", post(b"hello", "Content-Length: 5"), "200 kept"),
    Case("9112 §6.3: no length, no body", post(b""), "200 kept"),
    Case("9110 §9.3.1: a GET with a body", get("GET / HTTP/1.1", "Content-Length: 5") + b"hello", "200 kept"),
    Case("9112 §6.3: two lengths", post(b"hello" + SMUGGLED, "Content-Length: 5", "Content-Length: 6"), "400 closed"),
    Case("9112 §6.3: the same length twice", post(b"hello", "Content-Length: 5", "Content-Length: 5"), "400 closed"),
    Case("9112 §6.3: a list of lengths", post(b"hello", "Content-Length: 5, 5"), "400 closed"),
    Case("9110 §8.6: a sign", post(b"hello", "Content-Length: +5"), "400 closed"),
    Case("9110 §8.6: a negative length", post(b"hello", "Content-Length: -5"), "400 closed"),
    Case("9110 §8.6: hexadecimal", post(b"hello", "Content-Length: 0x5"), "400 closed"),
    Case("9110 §8.6: a space within", post(b"hello", "Content-Length: 1 0"), "400 closed"),
    Case("9110 §8.6: no digit", post(b"", "Content-Length:"), "400 closed"),
    Case("9110 §8.6: beyond 64 bits", post(b"", "Content-Length: 18446744073709551621"), "400 closed"),
    Case("9110 §15.5.14: a body too large", post(b"", "Content-Length: 9999999999"), "413 closed"),
]

CODINGS = [
    Case("9112 §7.1: a chunked body", chunked(b"5\r\nhello\r\n0\r\n\r\n"), "200 kept"),
    Case("9112 §6.1: length and coding (CL.TE)", post(
        b"0\r\n\r\n" + SMUGGLED, f"Content-Length: {5 + len(SMUGGLED)}", "Transfer-Encoding: chunked"), "400 closed"),
    Case("9112 §6.1: coding and length (TE.CL)", chunked(b"0\r\n\r\n" + SMUGGLED, "Content-Length: 5"), "400 closed"),
    Case("9112 §6.1: a coding in HTTP/1.0", post(
        b"0\r\n\r\n" + SMUGGLED, "Transfer-Encoding: chunked", "Connection: keep-alive", version="1.0"), "400 closed"),
    Case("9112 §6.1: an unknown coding", post(b"0\r\n\r\n", "Transfer-Encoding: x"), "501 closed"),
    Case("9112 §6.1: an unknown coding before chunked", post(
        b"0\r\n\r\n", "Transfer-Encoding: x, chunked"), "501 closed"),
    Case("9112 §6.1: gzip", post(b"0\r\n\r\n", "Transfer-Encoding: gzip, chunked"), "501 closed"),
    Case("9112 §6.3: chunked is not the last", post(
        b"0\r\n\r\n" + SMUGGLED, "Transfer-Encoding: chunked, gzip"), "400 closed"),
    Case("9112 §6.3: identity", post(b"0\r\n\r\n" + SMUGGLED, "Transfer-Encoding: identity"), "400 closed"),
    Case("9112 §6.1: chunked twice", post(b"0\r\n\r\n", "Transfer-Encoding: chunked, chunked"), "400 closed"),
    Case("9112 §6.1: chunked in two fields", chunked(b"0\r\n\r\n", "Transfer-Encoding: chunked"), "400 closed"),
    Case("9112 §7: chunked in quotes", post(b"0\r\n\r\n", "Transfer-Encoding: \"chunked\""), "501 closed"),
    Case("9112 §6.1: a vertical tab before chunked", post(b"0\r\n\r\n", "Transfer-Encoding: \vchunked"), "400 closed"),
    Case("9110 §5.6.1: an empty element", post(b"0\r\n\r\n", "Transfer-Encoding: , chunked"), "200 kept"),
    Case("9112 §7: chunked in any case", post(b"0\r\n\r\n", "Transfer-Encoding: cHuNkEd"), "200 kept"),
    Case("9112 §5.1: white space before the colon of a coding", post(
        b"0\r\n\r\n" + SMUGGLED, "Content-Length: 5", "Transfer-Encoding : chunked"), "400 closed"),
]

CHUNKS = [
    Case("9112 §7.1: several chunks", chunked(b"2\r\nhe\r\nA\r\n0123456789\r\n0\r\n\r\n"), "200 kept"),
    Case("9112 §7.1: leading zeros", chunked(b"0005\r\nhello\r\n00\r\n\r\n"), "200 kept"),
    Case("9112 §7.1.1: extensions", chunked(b"5;a=b;c=\"d;\" ; e\r\nhello\r\n0;f\r\n\r\n"), "200 kept"),
    Case("9112 §7.1.1: a semicolon alone", chunked(b"5;\r\nhello\r\n0\r\n\r\n"), "400 closed"),
    Case("9112 §7.1.1: a bare LF in an extension", chunked(b"5;\nhello\r\n0\r\n\r\n" + SMUGGLED), "400 closed"),
    Case("9112 §7.1.1: a bare CR in an extension", chunked(b"5;a\rb\r\nhello\r\n0\r\n\r\n"), "400 closed"),
    Case("9112 §7.1.1: NUL in an extension", chunked(b"5;a\0\r\nhello\r\n0\r\n\r\n"), "400 closed"),
    Case("9112 §7.1.1: an extension too long", chunked(b"5;" + b"a" * 5000 + b"\r\nhello\r\n0\r\n\r\n"), "400 closed"),
    Case("9112 §7.1.2: trailers", chunked(b"5\r\nhello\r\n0\r\nX: b\r\n\r\n"), "200 kept"),
    Case("9110 §6.5.1: trailers never frame", chunked(b"0\r\nContent-Length: 50\r\n\r\n"), "200 kept"),
    Case("9112 §7.1.2: a trailer that is none", chunked(b"0\r\nX y\r\n\r\n"), "400 closed"),
    Case("9112 §7.1.2: white space before a trailer's colon", chunked(b"0\r\nX : y\r\n\r\n"), "400 closed"),
    Case("9112 §7.1: bare LF behind a size", chunked(b"5\nhello\r\n0\r\n\r\n"), "400 closed"),
    Case("9112 §7.1: bare LF behind the data", chunked(b"5\r\nhello\n0\r\n\r\n"), "400 closed"),
    Case("9112 §7.1: nothing behind the data", chunked(b"5\r\nhello0\r\n\r\n"), "400 closed"),
    Case("9112 §7.1: more data than the size says", chunked(b"5\r\nhello!\r\n0\r\n\r\n"), "400 closed"),
    Case("9112 §7.1: junk behind a size", chunked(b"5x\r\nhello\r\n0\r\n\r\n"), "400 closed"),
    Case("9112 §7.1: a space behind a size", chunked(b"5 \r\nhello\r\n0\r\n\r\n"), "400 closed"),
    Case("9112 §7.1: a space before a size", chunked(b" 5\r\nhello\r\n0\r\n\r\n"), "400 closed"),
    Case("9112 §7.1: 0x before a size", chunked(b"0x5\r\nhello\r\n0\r\n\r\n"), "400 closed"),
    Case("9112 §7.1: a negative size", chunked(b"-5\r\nhello\r\n0\r\n\r\n"), "400 closed"),
    Case("9112 §7.1: no size", chunked(b"\r\nhello\r\n0\r\n\r\n"), "400 closed"),
    Case("9112 §7.1: a size beyond 64 bits", chunked(b"10000000000000005\r\nhello\r\n0\r\n\r\n"), "400 closed"),
    Case("9112 §7.1: the largest size", chunked(b"7fffffffffffffff\r\nhello\r\n0\r\n\r\n"), "413 closed"),
]

CONNECTIONS = [
    Case("9112 §9.3.2: answers in order", get() + get("BREW / HTTP/1.1") + get(), "200 501 200 kept"),
    Case("9112 §9.6: close", get("GET / HTTP/1.1", "Connection: close") + SMUGGLED, "200 closed"),
    Case("9110 §7.6.1: close in a list, in capitals", get(
        "GET / HTTP/1.1", "Connection: x , CLOSE") + SMUGGLED, "200 closed"),
    Case("9110 §7.6.1: close in the second of two fields", get(
        "GET / HTTP/1.1", "Connection: keep-alive", "Connection: close") + SMUGGLED, "200 closed"),
    Case("9110 §7.6.1: another option is not close", get("GET / HTTP/1.1", "Connection: closed"), "200 kept"),
    Case("9112 §9.3: HTTP/1.0 closes", get("GET / HTTP/1.0") + SMUGGLED, "200 closed"),
    Case("9112 §9.3: HTTP/1.0 may stay", get("GET / HTTP/1.0", "Connection: Keep-Alive"), "200 kept"),
    Case("9112 §9.6: answers before a faulty request are given", get() + b"\0\r\n\r\n", "200 400 closed"),
    Case("9110 §7.8: an upgrade is not taken up", get(
        "GET / HTTP/1.1", "Connection: Upgrade", "Upgrade: h2c"), "200 kept"),
    Case("9110 §10.1.4: TE", get("GET / HTTP/1.1", "Connection: TE", "TE: trailers"), "200 kept"),
]

EXPECTATIONS = [
    Case("9110 §10.1.1: an expectation whose content is there", post(
        b"hello", "Expect: 100-continue", "Content-Length: 5"), "200 kept"),
    Case("9110 §10.1.1: an unknown expectation", post(b"hello", "Expect: x", "Content-Length: 5"), "417 closed"),
    Case("9110 §10.1.1: HTTP/1.0 knows none", post(
        b"hello", "Expect: 100-continue", "Content-Length: 5", version="1.0"), "200 closed"),
    Case("9110 §15.5.14: refused before it is sent", post(
        b"", "Expect: 100-continue", "Content-Length: 9999999999"), "413 closed"),
]

NEGOTIATION = [
    Case("9110 §13.1.2: If-None-Match", get("GET / HTTP/1.1", "If-None-Match: *"), "304 kept"),
    Case("9110 §13.1.1: If-Match", get("GET / HTTP/1.1", "If-Match: \"x\""), "412 kept"),
    Case("9110 §14.2: Range may be passed over", get("GET / HTTP/1.1", "Range: bytes=0-1"), "200 kept"),
    Case("9110 §12.5.3: identity is refused", get("GET / HTTP/1.1", "Accept-Encoding: identity;q=0"), "406 kept"),
    Case("9110 §12.5.3: everything is refused", get("GET / HTTP/1.1", "Accept-Encoding: *;q=0"), "406 kept"),
    Case("9110 §12.5.3: gzip, else identity", get("GET / HTTP/1.1", "Accept-Encoding: gzip"), "200 kept"),
]

CASES = [
    *REQUEST_LINES, *TARGETS, *HOSTS, *FIELDS, *LENGTHS, *CODINGS, *CHUNKS, *CONNECTIONS, *EXPECTATIONS, *NEGOTIATION,
]
