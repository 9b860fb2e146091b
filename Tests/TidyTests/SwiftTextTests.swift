import Testing

/// The rules are only as good as what they look through.
@Suite("Reading Swift")
struct SwiftTextTests {
    @Test(
        "Comments and the contents of strings are no code",
        arguments: [
            ("a // b", "a     "), ("a /* b /* c */ d */ e", "a                   e"),
            ("x = \"try!\" + y", "x =        + y"),
            ("\"\\(f(\")\"))\" z", "            z"), ("#\"\\(\"# z", "       z"), ("\"\\\"\" z", "     z"),
            ("\"\"\"\n \"x\" {\n \"\"\" z", "   \n      \n     z"),
        ])
    func blanks(text: String, code: String) {
        #expect(String(decoding: SwiftText(text).code, as: UTF8.self) == code)
    }

    @Test("Functions are found with their lengths")
    func functions() {
        let text = """
            protocol P { func a(); func b() -> Int }
            struct S {
                init(x: Int = { 1 }()) {
                    self.init(y: x)
                }
                func c(
                    d: Int
                ) -> Int {
                    if d > 0 { return "}".count }
                    return d
                }
            }
            """
        let found = SwiftText(text).functions
        #expect(found.map(\.length) == [3, 6])
        #expect(found.map(\.line) == [3, 6])
    }
}
