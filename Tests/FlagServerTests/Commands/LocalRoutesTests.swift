import Access
import AccessStore
import DynamoModel
import FlagCore
import FlagFiles
import FlagStore
import HTTPRouting
import HTTPTransport
import JSON
import TestSupport
import Testing

@testable import Administration
@testable import FlagServer
@testable import TableEngine

@Suite("Routes without a socket")
struct LocalRoutesTests {
    private static let sampleFlags = Repository.root + "/config/sample-flags.json"

    private let store: DataStore
    private let routes: LocalRoutes

    /// Routes over an empty store in memory.
    init() throws { try self.init(.local) }

    private init(_ profile: Profile) throws {
        var configuration = ServerConfiguration.defaults(for: profile)
        configuration.store = .memory
        store = try DataStore.openForServing(configuration)
        routes = LocalRoutes(
            .alone(
                store.tables, profile,
                keys: KeyStore(store: store.tables) { _ throws(KeyStoreError) in throw .secretKey("none") }),
            describedBy: .ofProgram(version: FlagServerCommand.version))
    }

    private func answer(_ request: RouteRequest, of caller: Caller = .command("import")) -> RouteResponse {
        RouteResponse(routes.answer(request, of: caller))
    }

    private static func importing(
        _ text: String, mode: ImportPlan.Mode = .merge, environment: Environment? = nil, isDryRun: Bool = false,
        keepsInvalid: Bool = false
    ) -> RouteRequest {
        RouteRequest(
            .post, "/api/import",
            query: [
                ("mode", mode.rawValue), ("environment", environment?.rawValue), ("dryRun", "\(isDryRun)"),
                ("keepInvalid", "\(keepsInvalid)"),
            ], body: Array(text.utf8))
    }

    private func report(_ request: RouteRequest) throws -> ImportReport {
        let answer = answer(request)
        guard answer.isSuccess else { throw answer.failure(of: nil) }
        return try ImportReport(answer.json())
    }

    @Test("A report arrives as it was sent")
    func travel() throws {
        let report = ImportReport(
            environment: "staging", isDryRun: true, lines: ["+ flag a"], kept: ["/flags/b is odd"])
        #expect(try ImportReport(report.json) == report)
    }

    @Test("Every route of administration is there, and no other path")
    func table() throws {
        #expect(try answer(RouteRequest(.get, "/api/flags")).json()["flags"] == [])
        for path in ["/health", "/nowhere", "/api/flags/"] {
            #expect(answer(RouteRequest(.get, path)).status == 404, "\(path)")
        }
        #expect(answer(RouteRequest(.get, "/api/flags", query: [("no", "1")])).status == 400)
    }

    @Test("A key with every kind of character is the same in path, query and answer")
    func spelling() throws {
        let key = "a/ü %?&#+ 日本"
        let body = JSONValue.object([
            "flagKey": .string(key), "description": "d", "owner": .string(key), "defaultEnabled": true,
        ])
        #expect(answer(RouteRequest(.post, "/api/flags", body: body.serializedBytes())).status == 201)
        let path = "/api/flags/\(PercentEncoding.encodedSegment(key))"
        #expect(try answer(RouteRequest(.get, path)).json()["flagKey"] == .string(key))
        let list = answer(RouteRequest(.get, "/api/flags", query: [("owner", key)]))
        #expect(try list.json()["flags"]?.arrayValue?.count == 1)
    }

    @Test("Whoever asks is held to what they may, and named in what they change")
    func callers() throws {
        let body = Array(#"{"flagKey":"a","description":"A","owner":"o","defaultEnabled":true}"#.utf8)
        let create = RouteRequest(.post, "/api/flags", body: body)
        let reader = Caller(Principal(.account, "ann"), everywhere: .read)
        #expect(answer(create, of: reader).status == 403)
        #expect(answer(create, of: .command("seed")).status == 201)
        #expect(answer(RouteRequest(.get, "/api/flags/a"), of: reader).status == 200)
        #expect(try store.tables.changes(after: 0, limit: 10).last?.principal == Principal(.command, "seed"))
        // Histories begin with the first who follows the changes: a server, or whoever reads one.
        let history = RouteRequest(.get, "/api/flags/a/history")
        #expect(try answer(history).json() == ["history": [], "nextCursor": .null])
        let patch = RouteRequest(.patch, "/api/flags/a", body: Array(#"{"owner":"p"}"#.utf8))
        #expect(answer(patch, of: .command("seed")).status == 200)
        let entries = try answer(history).json()["history"]?.arrayValue ?? []
        #expect(entries.map { $0["change"] } == ["changed", "found"])
        #expect(entries.map { $0["by"] } == ["command seed", "server"])
    }

    @Test("The sample flags are eight valid ones with one override")
    func samples() throws {
        let file = try FileBytes.read(Self.sampleFlags, atMost: 1 << 20)
        let document = try ImportDocument(parsing: file)
        #expect(document.flags.count == 8)
        #expect(document.overrides?.count == 1)
        let descriptions = document.flags.map(\.draft.description)
        #expect(descriptions.allSatisfy { $0.count > 20 })
    }

    @Test("A file is imported into the environment that is asked for, else its own, else the profile's")
    func environments() throws {
        let flags = #""flags": [{"flagKey":"a","description":"A","owner":"o","defaultEnabled":true}]"#
        let cases: [(String, Environment?, String)] = [
            ("{\(flags)}", nil, "production"), ("{\(flags)}", .staging, "staging"),
            (#"{"environment":"development",\#(flags)}"#, nil, "development"),
            (#"{"environment":"development",\#(flags)}"#, .staging, "staging"),
        ]
        for (text, asked, expected) in cases {
            let report = try LocalRoutesTests(.prod).report(Self.importing(text, environment: asked))
            #expect(report.environment == expected)
        }
    }

    @Test("What was exported changes nothing when it is imported, in either format")
    func roundTrip() throws {
        let samples = String(decoding: try FileBytes.read(Self.sampleFlags, atMost: 1 << 20), as: UTF8.self)
        _ = try report(Self.importing(samples))
        for format in [ImportDocument.Format.native, .flagd] {
            let exported = answer(RouteRequest(.get, "/api/export", query: [("format", format.rawValue)]))
            let text = String(decoding: exported.content, as: UTF8.self)
            let report = try report(Self.importing(text, mode: .replace, isDryRun: true))
            #expect(report.lines.first == "flags: 0 created, 0 changed, 0 removed, 8 unchanged")
            #expect(report.lines.count == 3)
        }
    }

    @Test("Mistakes are all listed with their places, and nothing is imported")
    func mistakes() throws {
        let text = #"{"flags":{"a":{"state":"x","variants":{}},"b":7}}"#
        let refused = answer(Self.importing(text))
        #expect(refused.status == 400)
        let reason = refused.failure(of: nil).description
        for place in ["/flags/a/state", "/flags/a/variants", "/flags/b"] { #expect(reason.contains("\n  \(place) ")) }
        #expect(try store.flags.isEmpty())
    }

    @Test("What is kept although it is not valid is told")
    func kept() throws {
        let text = #"{"flags":{"a":{"state":"x","variants":{"on":true},"defaultVariant":"on"}}}"#
        let report = try report(Self.importing(text, keepsInvalid: true))
        #expect(report.kept.count == 1)
        #expect(report.text.contains("/flags/a/state"))
    }

    @Test("A dry run lists changes and stores nothing")
    func dryRun() throws {
        let text = #"{"flags":{"a":{"state":"ENABLED","variants":{"on":true},"defaultVariant":"on"}}}"#
        let report = try report(Self.importing(text, isDryRun: true))
        #expect(report.lines.first == "+ flag a")
        #expect(report.text.hasPrefix("Would change in development, nothing was stored:"))
        #expect(try store.flags.isEmpty())
    }
}
