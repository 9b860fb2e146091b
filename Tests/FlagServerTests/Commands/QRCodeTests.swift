import Bytes
import Testing

@testable import FlagServer

@Suite("QR codes")
struct QRCodeTests {
    private static func uri(_ name: String) -> String {
        "otpauth://totp/flag-server:\(name)?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=flag-server"
            + "&algorithm=SHA1&digits=6&period=30"
    }

    @Test(
        "Each is module by module the one that qrcode 8.2 for Python makes with the same mask",
        arguments: [
            ("a", 21, 0x8c09b35d),
            ("hello, world", 21, 0x5590c9a6),
            ("https://flags.example.com/x", 25, 0x16a8bd80),
            (String(repeating: "x", count: 53), 29, 0xa75dd2de),
            (String(repeating: "y", count: 78), 33, 0x2f047335),
            (String(repeating: "v", count: 134), 41, 0x199e10ba),
            (uri("ann"), 41, 0xa68672e3),
            (uri(String(repeating: "a", count: 64)), 49, 0x902aed39),
            (String(repeating: "z", count: 230), 53, 0x2b690d83),
        ] as [(String, Int, UInt32)])
    func golden(text: String, size: Int, checksum: UInt32) throws {
        let code = try #require(QRCode(text))
        #expect(code.size == size)
        let rows = (0..<size).map { row in (0..<size).map { code[row, $0] ? "1" : "0" }.joined() }
        let found = Array(rows.joined(separator: "\n").utf8).withUnsafeBytes { Checksum.crc32($0) }
        #expect(found == checksum, "\(text)")
    }

    @Test("A text of 230 bytes is the longest; the terminal is shown it with a border, two rows a line")
    func bounds() throws {
        #expect(QRCode(String(repeating: "z", count: 230)) != nil && QRCode(String(repeating: "z", count: 231)) == nil)
        let lines = try #require(QRCode("a")).text.split(separator: "\n")
        #expect(lines.count == 15)
        #expect(lines.allSatisfy { $0.hasPrefix("\u{1B}[30;107m") && $0.hasSuffix("\u{1B}[0m") && $0.count == 42 })
    }
}
