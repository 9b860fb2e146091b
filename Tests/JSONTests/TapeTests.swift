import Glibc
import JSON
import Testing

@Suite("The tape")
struct TapeTests {
    @Test("gives members, elements and scalars without a tree")
    func views() throws {
        try withRoot(#"{"a":{"b":[1,"two",true,null]},"n":-2.50,"e":"\u0041"}"#) { root in
            let list = try #require(root["a"]?["b"])
            #expect(list.count == 4)
            #expect(list.element(at: 0)?.int64 == 1)
            #expect(list.element(at: 1)?.string == "two")
            #expect(list.element(at: 2)?.bool == true)
            #expect(list.element(at: 3)?.isNull == true)
            #expect(list.element(at: 4) == nil)
            #expect(root["n"]?.double == -2.5)
            #expect(root["n"]?.numberSpelling.map { String(decoding: $0, as: UTF8.self) } == "-2.50")
            #expect(root["e"]?.string == "A")
            #expect(root["missing"] == nil)
            #expect(list["a"] == nil)
            #expect(root.members.map { String(decoding: $0.name, as: UTF8.self) } == ["a", "n", "e"])
        }
    }

    @Test("finds every member of a large object, and none that is not there")
    func largeObject() throws {
        let members = (0..<1_000).map { "\"name-\($0)\":\($0)" }.joined(separator: ",")
        try withRoot("{\"inner\":{\(members)},\"after\":true}") { root in
            let inner = try #require(root["inner"])
            for index in 0..<1_000 {
                let name = Array("name-\(index)".utf8)
                name.withUnsafeBytes { #expect(inner[$0]?.int64 == Int64(index)) }
            }
            #expect(inner["name-1000"] == nil)
            #expect(root["after"]?.bool == true)
        }
    }

    @Test("counts a name once, however often an object has it", arguments: [1, 2, 3, 5, 20], [0, 4, 30])
    func repeatedNames(times: Int, others: Int) throws {
        let repeated = (0..<times).map { "\"a\":\($0)" }
        let members = (0..<others).map { "\"b\($0)\":true" }
        for members in [repeated + members, members + repeated] {
            let text = "{\(members.joined(separator: ","))}"
            try withRoot(text, JSONParseOptions(duplicateKeys: .lastWins)) { root in
                #expect(root.count == others + 1)
                #expect(root.members.count { _ in true } == others + 1)
                #expect(root["a"]?.int64 == Int64(times - 1))
            }
        }
    }

    @Test("can be used again after a failure and after a much larger text")
    func reuse() throws {
        let tape = JSONTape()
        let large = Array("[\(String(repeating: "\"\\n\",", count: 50_000))0]".utf8)
        for _ in 0..<3 {
            try large.withUnsafeBytes { try tape.parse($0) }
            #expect(tape.root.count == 50_001)
            #expect(throws: JSONError.self) { try Array("[1,".utf8).withUnsafeBytes { try tape.parse($0) } }
            let small = Array("{\"a\":1}".utf8)
            try small.withUnsafeBytes { bytes in
                try tape.parse(bytes)
                #expect(tape.root["a"]?.int64 == 1)
            }
        }
    }

    @Test("never reads outside the text: it lies against a page that may not be touched")
    func guardPage() throws {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let memory = mmap(nil, page * 2, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)!
        defer { munmap(memory, page * 2) }
        #expect(mprotect(memory + page, page, PROT_NONE) == 0)
        let texts = [
            #"{"key":"value","escaped\n":"\uD83D\uDE00","list":[1,-2.5e3,true,false,null]}"#, "\"sixteen bytes..\"",
            "\"é€😀\"", "-1", "12345678", "[\"abcdefg\"]",
        ]
        let tape = JSONTape()
        for text in texts.map({ Array($0.utf8) }) {
            for count in 0...text.count {
                let start = memory + page - count
                start.copyMemory(from: text, byteCount: count)
                try? tape.parse(UnsafeRawBufferPointer(start: start, count: count))
            }
            _ = tape.root.materialized()
        }
    }

    private func withRoot(
        _ text: String, _ options: JSONParseOptions = JSONParseOptions(), _ body: (JSONView) throws -> Void
    ) throws {
        let tape = JSONTape(options: options)
        try Array(text.utf8).withUnsafeBytes { bytes in
            try tape.parse(bytes)
            try body(tape.root)
        }
    }
}
