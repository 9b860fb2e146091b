import Testing

@testable import Bytes

@Suite("Byte buffer")
struct ByteBufferTests {
    @Test("Bytes come out in the order they went in, across growth and moves")
    func order() {
        var buffer = ByteBuffer()
        var next: UInt8 = 0
        var expected: UInt8 = 0
        for round in 1...200 {
            for _ in 0..<round * 7 % 300 {
                buffer.append(byte: next)
                next &+= 1
            }
            let taken = min(buffer.count, round * 5 % 251)
            for byte in buffer.readable.prefix(taken) {
                #expect(byte == expected)
                expected &+= 1
            }
            buffer.consume(taken)
        }
    }

    @Test("Numbers are written in decimal digits", arguments: [0, 7, 10, 99, 100, 4096, 1_000_000, Int.max])
    func decimals(number: Int) {
        var buffer = ByteBuffer()
        buffer.append(decimal: number)
        #expect(String(decoding: buffer.readable, as: UTF8.self) == String(number))
    }

    @Test("Removing from the middle keeps both ends")
    func removal() {
        var buffer = ByteBuffer()
        buffer.append("abcdef")
        buffer.consume(1)
        buffer.remove(1..<3)
        #expect(String(decoding: buffer.readable, as: UTF8.self) == "bef")
    }

    @Test("What was left room for goes before the rest; without room nothing changes")
    func prepending() {
        var buffer = ByteBuffer()
        buffer.append("before")
        buffer.reset(leaving: 4)
        let count = buffer.count
        #expect(count == 0)
        buffer.append("def")
        let texts: [(text: StaticString, fits: Bool, then: String)] = [
            ("abc", true, "abcdef"), ("xy", false, "abcdef"), ("z", true, "zabcdef"), ("", true, "zabcdef"),
            ("z", false, "zabcdef"),
        ]
        for (text, fits, then) in texts {
            let bytes = UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
            let isThere = buffer.prepend(bytes)
            #expect(isThere == fits)
            #expect(String(decoding: buffer.readable, as: UTF8.self) == then)
        }
        // Growing takes the room.
        buffer.reset(leaving: 4)
        for _ in 0..<1_000 { buffer.append("0123456789") }
        let grown = buffer.count
        #expect(grown == 10_000)
        let isThere = buffer.prepend(buffer.readable)
        #expect(!isThere)
    }
}
