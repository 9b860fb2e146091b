import Testing

@testable import HTTPTransport

@Suite("Conditional requests")
struct PreconditionTests {
    /// 6 November 1994, 08:49:37.
    private static let changed = HTTPDate(milliseconds: 784_111_777_000)
    private static let now = HTTPDate(milliseconds: 1_700_000_000_000)
    private static let same = "Sun, 06 Nov 1994 08:49:37 GMT"
    private static let before = "Sun, 06 Nov 1994 08:49:36 GMT"
    private static let after = "Mon, 07 Nov 1994 08:49:37 GMT"

    private func outcome(
        _ fields: String, method: String = "GET", of validators: Validators? = nil
    ) throws -> PreconditionOutcome {
        let validators = validators ?? Validators(entityTag: "\"a,b\"", lastModified: PreconditionTests.changed)
        let bench = try MachineBench()
        var outcome: PreconditionOutcome?
        var isConditional = false
        bench.inspect = {
            isConditional = $0.isConditional
            outcome = $0.precondition(validators, now: PreconditionTests.now)
        }
        bench.feed("\(method) / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n")
        #expect(isConditional == fields.lowercased().contains("if-"))
        return try #require(outcome)
    }

    @Test(
        "RFC 9110 §13.1.1, §13.1.2: entity tags",
        arguments: [
            ("", PreconditionOutcome.proceed), ("If-None-Match: \"a,b\"\r\n", .notModified),
            ("if-none-match: \"x\", W/\"a,b\"\r\n", .notModified), ("If-None-Match: \"x\", \"y\"\r\n", .proceed),
            ("If-None-Match: *\r\n", .notModified),
            ("If-None-Match: \"x\"\r\nIf-None-Match: \"a,b\"\r\n", .notModified),
            ("If-None-Match: a,b\r\n", .proceed), ("If-None-Match: \"a\r\n", .proceed),
            ("If-Match: \"a,b\"\r\n", .proceed), ("If-Match: *\r\n", .proceed), ("If-Match: W/\"a,b\"\r\n", .failed),
            ("If-Match: \"x\"\r\n", .failed), ("If-Match:\r\n", .failed),
        ])
    func entityTags(fields: String, expected: PreconditionOutcome) throws {
        #expect(try outcome(fields) == expected)
    }

    @Test(
        "RFC 9110 §13.1.3, §13.1.4: dates",
        arguments: [
            ("If-Modified-Since: \(same)\r\n", PreconditionOutcome.notModified),
            ("If-Modified-Since: \(after)\r\n", .notModified), ("If-Modified-Since: \(before)\r\n", .proceed),
            ("If-Modified-Since: yesterday\r\n", .proceed),
            ("If-Modified-Since: \(same)\r\nIf-Modified-Since: \(same)\r\n", .proceed),
            ("If-Unmodified-Since: \(same)\r\n", .proceed), ("If-Unmodified-Since: \(before)\r\n", .failed),
            ("If-Unmodified-Since: never\r\n", .proceed),
        ])
    func dates(fields: String, expected: PreconditionOutcome) throws {
        #expect(try outcome(fields) == expected)
    }

    @Test(
        "RFC 9110 §13.2.2: which goes first",
        arguments: [
            ("If-None-Match: \"x\"\r\nIf-Modified-Since: \(same)\r\n", PreconditionOutcome.proceed),
            ("If-Match: \"a,b\"\r\nIf-Unmodified-Since: \(before)\r\n", .proceed),
            ("If-Match: \"a,b\"\r\nIf-None-Match: \"a,b\"\r\n", .notModified),
            ("If-Match: \"x\"\r\nIf-None-Match: \"a,b\"\r\n", .failed),
        ])
    func order(fields: String, expected: PreconditionOutcome) throws {
        #expect(try outcome(fields) == expected)
    }

    @Test("Other methods than GET and HEAD get 412 where those get 304, and no date makes anything of them")
    func methods() throws {
        let tag = "If-None-Match: *\r\n"
        #expect(try outcome(tag, method: "HEAD") == .notModified)
        #expect(try outcome(tag, method: "PUT") == .failed)
        #expect(try outcome("If-Modified-Since: \(PreconditionTests.same)\r\n", method: "PUT") == .proceed)
    }

    @Test("What has no representation matches nothing, not even *")
    func nothing() throws {
        #expect(try outcome("If-Match: *\r\n", of: Validators.none) == .failed)
        #expect(try outcome("If-None-Match: *\r\n", of: Validators.none) == .proceed)
    }

    @Test(
        "All three forms of a date are read (RFC 9110 §5.6.7)",
        arguments: [
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777 as Int64?), ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777),
            ("Sun Nov  6 08:49:37 1994", 784_111_777), ("Tue, 29 Feb 2000 12:34:56 GMT", 951_827_696),
            ("Tuesday, 01-Jan-74 00:00:00 GMT", 126_230_400), ("Sunday, 06-Nov-33 08:49:37 GMT", 2_014_879_777),
            ("Sun, 06 Nov 1994 08:49:37", nil), ("Sun, 06 Nov 1994 08:49:37 CET", nil),
            ("Sun, 06 Nov 94 08:49:37 GMT", nil), ("Sun, 06 Nuv 1994 08:49:37 GMT", nil),
            ("Sun, 06 Nov 1994 24:49:37 GMT", nil), ("Sun, 32 Nov 1994 08:49:37 GMT", nil), ("", nil), ("0", nil),
            ("Sun, +6 Nov 1994 08:49:37 GMT", nil),
        ])
    func dateForms(text: String, seconds: Int64?) {
        let date = Array(text.utf8).withUnsafeBytes { HTTPDate($0, now: PreconditionTests.now) }
        #expect(date?.seconds == seconds)
    }

    @Test("A date is written as it is read")
    func dateText() {
        #expect(String(decoding: PreconditionTests.changed.text, as: UTF8.self) == PreconditionTests.same)
    }

    @Test(
        "An unreserved character means the same encoded, a reserved one does not (RFC 3986 §6.2.2.2)",
        arguments: [
            ("/echo", true), ("/%65cho", true), ("/e%63h%6F", true), ("/%65%63%68%6f", true), ("%2Fecho", false),
            ("/ech", false), ("/echo/", false), ("/echo%", false), ("/%2565cho", false), ("/ECHO", false),
            ("/ech%6", false),
        ])
    func equivalence(path: String, isSame: Bool) {
        #expect(Array(path.utf8).withUnsafeBytes { $0.isEquivalent(toPath: "/echo") } == isSame)
    }
}
