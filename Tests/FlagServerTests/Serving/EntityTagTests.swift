import Bytes
import Testing

@testable import FlagServer
@testable import HTTPRouting

private func matches(_ field: String, weakly: Bool = true) -> Bool {
    var tag = ByteBuffer()
    EntityTag.append(KeyedDigest.Value(low: 0x0123, high: 0xFEDC_BA98_7654_3210), to: &tag)
    return Array(field.utf8).withUnsafeBytes { EntityTag.list($0, matches: tag.readable, weakly: weakly) }
}

@Suite("Entity tags")
struct EntityTagTests {
    @Test("A tag is two quotes and 32 hexadecimal digits")
    func spelling() {
        var tag = ByteBuffer()
        EntityTag.append(KeyedDigest.Value(low: 0x0123, high: 0xFEDC_BA98_7654_3210), to: &tag)
        #expect(String(decoding: tag.readable, as: UTF8.self) == #""fedcba98765432100000000000000123""#)
        #expect(tag.count == EntityTag.length)
    }

    @Test(
        "If-None-Match names a tag by itself, in a list, weakly, without quotes or with a star",
        arguments: [
            #""fedcba98765432100000000000000123""#, #"W/"fedcba98765432100000000000000123""#,
            #""x", "fedcba98765432100000000000000123""#, "\"a,b\" ,\tW/\"fedcba98765432100000000000000123\",\"y\"",
            "fedcba98765432100000000000000123", "*", #" , ,"fedcba98765432100000000000000123""#,
        ])
    func matching(field: String) {
        #expect(matches(field))
    }

    @Test(
        "Other tags do not match",
        arguments: [
            "", ",", #""""#, #""fedc""#, #""fedcba98765432100000000000000124""#, #""*""#, "W/",
            #""fedcba98765432100000000000000123"#, #"x"fedcba98765432100000000000000123""#,
        ])
    func different(field: String) {
        #expect(!matches(field))
    }

    @Test("Strong comparison refuses weak tags")
    func strong() {
        #expect(matches(#""fedcba98765432100000000000000123""#, weakly: false))
        #expect(!matches(#"W/"fedcba98765432100000000000000123""#, weakly: false))
        #expect(matches("*", weakly: false))
    }
}
