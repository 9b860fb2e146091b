import Testing

@testable import Bytes

@Suite("Names of requests")
struct RequestIDTests {
    @Test(
        "A request's name has visible characters of ASCII, 1 to 128 of them",
        arguments: [
            ("a", true), ("0af7651916cd43dd8448eb211c80319c", true), (String(repeating: "x", count: 128), true),
            ("", false), (String(repeating: "x", count: 129), false), ("a b", false), ("a\nb", false), ("ä", false),
        ])
    func requestIDs(text: String, isTaken: Bool) {
        #expect((RequestID(text) != nil) == isTaken)
    }

    @Test("A name of our own is 32 hexadecimal digits, and a name")
    func own() {
        let name = RequestID(0x0123_4567_89AB_CDEF, 10)
        #expect(name.text == "0123456789abcdef000000000000000a")
        #expect(RequestID(name.text) == name)
    }
}
