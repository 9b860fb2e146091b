import JSON
import Testing

@Suite("The JSON writer")
struct WriterTests {
    @Test("puts commas and colons, escapes what must be escaped and nothing else")
    func writes() {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("a")
        writer.beginArray()
        writer.int(Int.min)
        writer.int(0)
        writer.double(0.1)
        writer.double(.nan)
        writer.bool(true)
        writer.bool(false)
        writer.null()
        writer.beginObject()
        writer.endObject()
        writer.endArray()
        writer.key("quote \" and \\ and \n\u{1} é😀/")
        writer.string("\u{8}\u{9}\u{C}\u{D}\u{1F}\u{7F}")
        writer.key("raw")
        writer.raw(Array("[1, 2]".utf8))
        writer.endObject()
        #expect(
            String(decoding: writer.bytes, as: UTF8.self)
                == #"{"a":[-9223372036854775808,0,0.1,null,true,false,null,{}],"quote \" and \\ and \n\u0001 é😀/":"#
                + "\"\\b\\t\\f\\r\\u001f\u{7F}\",\"raw\":[1, 2]}")
    }

    @Test("writes the same again after it was emptied")
    func reuse() {
        var writer = JSONWriter()
        for _ in 0..<3 {
            writer.removeAll()
            writer.value(["a": [1, 2], "b": .null])
            #expect(String(decoding: writer.bytes, as: UTF8.self) == #"{"a":[1,2],"b":null}"#)
        }
    }

    @Test("indents by two spaces when asked to, empty arrays and objects on one line")
    func pretty() {
        let value: JSONValue = ["a": [1, ["b": "c"]], "d": [], "e": [:]]
        let expected = """
            {
              "a": [
                1,
                {
                  "b": "c"
                }
              ],
              "d": [],
              "e": {}
            }
            """
        #expect(value.serialized(pretty: true) == expected)
    }
}

@Suite("JSON values")
struct ValueTests {
    @Test("objects keep their order, and are equal in any order")
    func objects() throws {
        let value = try JSONValue(parsing: #"{"b":1,"a":2}"#)
        #expect(value.serialized() == #"{"b":1,"a":2}"#)
        #expect(value == ["a": 2, "b": 1])
        #expect(value != ["a": 2])
        #expect(value != ["a": 2, "b": 2])
    }

    @Test("members can be set, replaced in place and removed, in small and large objects", arguments: [3, 40])
    func members(count: Int) {
        var object = JSONObject()
        for index in 0..<count { object["k\(index)"] = .integer(index) }
        object["k1"] = "replaced"
        object["k0"] = nil
        #expect(object.count == count - 1)
        #expect(object.keys.first == "k1")
        #expect(object["k0"] == nil)
        #expect(object["k1"] == "replaced")
        #expect(object["k\(count - 1)"] == .integer(count - 1))
        object["new"] = true
        #expect(object.keys.last == "new")
        #expect(object["new"] == true)
    }

    @Test("names in two normal forms are two names, in small and large objects", arguments: [0, 40])
    func normalForms(count: Int) throws {
        let names = ["\u{E9}", "e\u{301}"] + (0..<count).map { "k\($0)" }
        let members = names.enumerated().map { "\"\($0.element)\":\($0.offset)" }
        let value = try JSONValue(parsing: "{\(members.joined(separator: ","))}")
        #expect(value.objectValue?.count == names.count)
        #expect(value["\u{E9}"] == 0)
        #expect(value["e\u{301}"] == 1)
        #expect(JSONValue.string("\u{E9}") != JSONValue.string("e\u{301}"))
    }

    @Test("pointers escape ~ and / in names (RFC 6901 section 3)")
    func pointers() {
        let flag = JSONPointer().appending("flags").appending("x/y~z")
        #expect("\(flag.appending("targeting").appending("if").appending(0))" == "/flags/x~1y~0z/targeting/if/0")
        #expect("\(JSONPointer())" == "")
        #expect("\(JSONPointer().appending(""))" == "/")
    }
}
