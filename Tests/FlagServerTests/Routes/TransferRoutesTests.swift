import JSON
import Testing

@testable import FlagServer

@Suite("Routes of files")
struct TransferRoutesTests {
    private static let file = #"""
        {"flags": {"banner": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on"},
            "rate": {"state": "ENABLED", "variants": {"low": 2.0}, "defaultVariant": "low"}}}
        """#
    private static let counts = [
        "flags: 2 created, 0 changed, 0 removed, 0 unchanged",
        "overrides: 0 created, 0 changed, 0 removed, 0 unchanged",
        "kill switches: 0 created, 0 changed, 0 removed, 0 unchanged",
    ]

    private let server: RouteServer

    init() throws {
        server = try RouteServer()
    }

    private func lines(_ answer: TestResponse) -> [String] {
        answer.json["lines"]?.arrayValue?.compactMap(\.stringValue) ?? []
    }

    @Test("A file is imported and in force with the answer")
    func imports() throws {
        let answer = try server.send("POST", "/api/import", Self.file)
        #expect(answer.status == 200)
        #expect(lines(answer) == Self.counts)
        #expect(answer.json["environment"] == "development")
        #expect(answer.json["dryRun"] == false)
        #expect(try server.ofrep("banner").json["value"] == true)
        #expect(try server.ofrep("rate").body.contains(#""value":2.0"#))
    }

    @Test("A dry run lists every change and stores nothing")
    func dryRun() throws {
        let answer = try server.send("POST", "/api/import?dryRun=true", Self.file)
        #expect(lines(answer) == ["+ flag banner", "+ flag rate"] + Self.counts)
        #expect(answer.json["dryRun"] == true)
        #expect(try server.ofrep("banner").status == 404)
    }

    @Test("The environment is the query's, else the file's, else the profile's")
    func environments() throws {
        let native = #"{"environment":"production","flags":[]}"#
        #expect(try server.send("POST", "/api/import", native).json["environment"] == "production")
        #expect(try server.send("POST", "/api/import?environment=dev", native).json["environment"] == "staging")
        #expect(try server.send("GET", "/api/export?environment=prod").json["environment"] == "production")
        let unknown = try server.send("POST", "/api/import?environment=test", native)
        #expect(unknown.status == 400)
        #expect(unknown.code == "unknown_environment")
    }

    @Test("The mode says what becomes of what is there")
    func modes() throws {
        try server.create("rate")
        try server.create("unnamed")
        let created = try server.send("POST", "/api/import?mode=create-only&dryRun=true", Self.file)
        #expect(lines(created).first == "+ flag banner")
        #expect(created.body.contains("1 left as they are"))
        let merged = try server.send("POST", "/api/import?mode=merge&dryRun=true", Self.file)
        #expect(merged.body.contains("~ flag rate"))
        #expect(!merged.body.contains("- flag unnamed"))
        #expect(try server.send("POST", "/api/import?mode=replace", Self.file).status == 200)
        #expect(try server.ofrep("unnamed").status == 404)
    }

    @Test("What is wrong with a file is all listed by pointers, past the number of other bodies, and nothing is stored")
    func mistakes() throws {
        let broken = (0..<150).map { #""f\#($0)": {"state": "SOMETIMES", "variants": {"on": true}}"# }
        let answer = try server.send("POST", "/api/import", "{\"flags\": {\(broken.joined(separator: ","))}}")
        #expect(answer.status == 400)
        #expect(answer.code == "invalid_body")
        #expect(Set(answer.pointers).isSuperset(of: (0..<150).map { "/flags/f\($0)/state" }))
        #expect(try server.send("GET", "/api/flags").json["flags"]?.arrayValue?.isEmpty == true)
        let orphan = #"{"flags":[],"overrides":[{"flagKey":"x","tenantId":"t","enabled":true,"updatedBy":"u"}]}"#
        #expect(try server.send("POST", "/api/import", orphan).code == "invalid_body")
    }

    @Test("With keepInvalid they are stored, told, and answer PARSE_ERROR")
    func keepInvalid() throws {
        let broken = #"{"flags":{"odd":{"state":"SOMETIMES","variants":{"on":true},"defaultVariant":"on"}}}"#
        let answer = try server.send("POST", "/api/import?keepInvalid=true", broken)
        #expect(answer.json["kept"]?.arrayValue?.first?.stringValue?.hasPrefix("/flags/odd/state ") == true)
        #expect(try server.ofrep("odd").json["errorCode"] == "PARSE_ERROR")
    }

    @Test("Importing an export changes nothing, in either format", arguments: ["native", "flagd"])
    func roundTrip(format: String) throws {
        _ = try server.send("POST", "/api/import", Self.file)
        try server.create("simple")
        _ = try server.send("PUT", "/api/tenants/acme/flags/simple", #"{"enabled":false,"updatedBy":"ada"}"#)
        let export = try server.send("GET", "/api/export?format=\(format)")
        #expect(export.status == 200)
        let answer = try server.send("POST", "/api/import?mode=replace&dryRun=true", export.body)
        #expect(lines(answer).first == "flags: 0 created, 0 changed, 0 removed, 3 unchanged")
        #expect(lines(answer).count == 3)
        #expect(try server.send("GET", "/api/export?format=\(format)").body == export.body)
    }

    @Test("A file may be larger than other content, which may not")
    func large() throws {
        let padded = Self.file + String(repeating: " ", count: 3 << 20)
        #expect(try server.send("POST", "/api/import", padded).status == 200)
        let other = try server.connect()
        try other.write(Array("POST /api/flags HTTP/1.1\r\nHost: a\r\nContent-Length: \(3 << 20)\r\n\r\n".utf8))
        #expect(try other.readResponse().status == 413)
    }

    @Test(
        "A query that means nothing is refused",
        arguments: ["mode=overwrite", "dryRun=yes", "keepInvalid=1", "dryRun", "format=flagd"])
    func queries(query: String) throws {
        let answer = try server.send("POST", "/api/import?\(query)", Self.file)
        #expect(answer.status == 400)
        #expect(answer.code == "invalid_query")
        #expect(try server.send("GET", "/api/export?format=yaml").code == "invalid_query")
    }

    @Test("A page of another site cannot import")
    func foreignOrigin() throws {
        let fields = [("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site")]
        #expect(try server.send("POST", "/api/import", Self.file, fields).status == 403)
    }

    @Test("When the store does not answer, neither form pretends that it did")
    func unavailable() throws {
        server.table.isFailing = true
        #expect(try server.send("POST", "/api/import", Self.file).code == "store_unavailable")
        #expect(try server.send("GET", "/api/export").code == "store_unavailable")
    }
}
