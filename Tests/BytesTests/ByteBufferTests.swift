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
}
