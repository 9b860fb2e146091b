import Testing

@testable import FlagServer
@testable import HTTPRouting

private func query(_ text: String?, _ allowed: [String] = ["owner", "limit"]) throws -> QueryParameters {
    guard let text else { return try QueryParameters(nil, allowing: allowed) }
    return try Array(text.utf8).withUnsafeBytes { try QueryParameters($0, allowing: allowed) }
}

@Suite("Query parameters")
struct QueryParametersTests {
    @Test("Parameters are decoded, empty ones are kept")
    func values() throws {
        #expect(try query(nil)["owner"] == nil)
        #expect(try query("")["owner"] == nil)
        #expect(try query("owner=team%20a")["owner"] == "team a")
        #expect(try query("owner=team+a&limit=5")["limit"] == "5")
        #expect(try query("owner")["owner"] == "")
        #expect(try query("owner=a=b&")["owner"] == "a=b")
    }

    @Test("Everything that is wrong is named, not only the first")
    func problems() throws {
        let problem = try #require(throws: Problem.self) { try query("color=red&owner=a&owner=b&limit=%zz&%FF=1") }
        #expect(problem.code == .invalidQuery)
        #expect(problem.fields.map(\.pointer) == ["?color", "?owner", "?limit=%zz", "?%FF=1"])
        #expect(problem.fields.first?.detail == "unknown query parameter; known here: owner, limit")
        let slip = try #require(throws: Problem.self) { try query("ownr=a") }
        #expect(slip.fields.first?.detail == "unknown query parameter; did you mean owner?; known here: owner, limit")
    }

    @Test("Where others are passed over, only what is known counts")
    func others() throws {
        let text = Array("color=red&owner=a&color=blue".utf8)
        let query = try text.withUnsafeBytes {
            try QueryParameters($0, allowing: ["owner"], ignoresOthers: true)
        }
        #expect(query["owner"] == "a")
        #expect(query["color"] == nil)
    }

    @Test("A number is checked against its bounds", arguments: ["0", "11", "x", "", "1.5", "-1"])
    func integers(text: String) throws {
        #expect(try query("limit=10").integer("limit", in: 1...10) == 10)
        #expect(try query("owner=a").integer("limit", in: 1...10) == nil)
        let problem = try #require(throws: Problem.self) { try query("limit=\(text)").integer("limit", in: 1...10) }
        #expect(
            problem.fields == [
                .init(pointer: "?limit", detail: "must be a whole number from 1 to 10, not \"\(text)\"")
            ])
    }
}
