import Testing

@testable import HTTPTransport

@Suite("Bytes")
struct BytesTests {
    @Test("Only the case of ASCII letters makes no difference, at every place and for every byte", arguments: 1...20)
    func letterCase(length: Int) {
        let names: [StaticString] = [
            "a", "ab", "abc", "abcd", "abcde", "abcdef", "abcdefg", "abcdefgh", "abcdefghi", "abcdefghij",
            "abcdefghijk",
            "abcdefghijkl", "abcdefghijklm", "abcdefghijklmn", "abcdefghijklmno", "abcdefghijklmnop",
            "ABCDEFGHIJKLMNOPQ", "abcdefghijklmnop@r", "zyxwvutsrqponmlk[{s", "0123456789-_`~|!#$%&",
        ]
        let name = names[length - 1]
        let expected = Array(UnsafeBufferPointer(start: name.utf8Start, count: length))
        #expect(expected.count == name.utf8CodeUnitCount)
        for place in 0..<length {
            for byte in UInt8.min...UInt8.max {
                var bytes = expected
                bytes[place] = byte
                let isSame = lowercased(byte) == lowercased(expected[place])
                let isFound = bytes.withUnsafeBytes { $0.equalsIgnoringCase(name) }
                if isFound != isSame { Issue.record("byte \(byte) at \(place) of \(name)") }
            }
        }
    }
}
