import Testing

@testable import HTTPTransport

@Suite("Accepted media types")
struct AcceptedTypesTests {
    @Test(
        "The most specific range that has a type says how much it is wanted (RFC 9110 §12.5.1)",
        arguments: [
            (nil, 1000), ("", 0), ("text/plain", 1000), ("TEXT/Plain ; q=0.5", 500), ("*/*;q=0.1", 100),
            ("text/*;q=0.3, */*;q=0.9", 300), ("text/html", 0), ("text/plain;q=0, */*", 0),
            ("text/plain;version=0.0.4;q=0.75", 750), ("text/plain;q=0.2, text/plain;version=1;Q=0.6", 600),
            ("text/plain;quality=0.1", 1000), ("text/plain;q=2", 0), (",,;, text/plain;q=1.000", 1000),
        ] as [(String?, Int)])
    func weight(accept: String?, weight: Int) {
        #expect(AcceptedTypes(accept).weight(of: "text/plain") == weight)
    }
}
