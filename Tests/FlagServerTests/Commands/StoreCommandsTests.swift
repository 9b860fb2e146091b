import DynamoModel
import FlagCore
import FlagFiles
import FlagStore
import JSON
import Testing

@testable import Administration
@testable import FlagServer

@Suite("Commands on the store")
struct StoreCommandsTests {
    private static let sampleFlags = TemporaryDirectory.repositoryRoot + "/config/sample-flags.json"

    /// Commands on an empty store in memory.
    private static func commands(_ profile: Profile = .local) throws -> StoreCommands {
        var configuration = ServerConfiguration.defaults(for: profile)
        configuration.store = .memory
        return StoreCommands(store: try DataStore.openForServing(configuration))
    }

    private static func importing(
        _ text: String, mode: ImportPlan.Mode = .merge, environment: Environment? = nil, isDryRun: Bool = false,
        keepsInvalid: Bool = false
    ) -> ControlRequest {
        ImportRequest(
            file: Array(text.utf8), environment: environment, mode: mode, isDryRun: isDryRun,
            keepsInvalid: keepsInvalid
        ).request
    }

    private static func report(_ reply: ControlReply) throws -> ImportReport {
        guard case .done(let json, _) = reply else { throw CommandFailure("\(reply)") }
        return try ImportReport(json)
    }

    @Test("Requests and reports arrive as they were sent")
    func travel() throws {
        let request = ImportRequest(
            file: [1, 2, 3], environment: .staging, mode: .createOnly, isDryRun: true, keepsInvalid: false)
        #expect(try ImportRequest(try ControlRequest(request.request.message)) == request)
        let export = ExportRequest(format: .flagd, environment: nil)
        #expect(try ExportRequest(try ControlRequest(export.request.message)) == export)
        let report = ImportReport(
            environment: "staging", isDryRun: true, lines: ["+ flag a"], kept: ["/flags/b is odd"])
        #expect(try ImportReport(report.json) == report)
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
            let report = try Self.report(try Self.commands(.prod).answer(Self.importing(text, environment: asked)))
            #expect(report.environment == expected)
        }
    }

    @Test("What was exported changes nothing when it is imported, in either format")
    func roundTrip() throws {
        let commands = try Self.commands()
        let samples = String(decoding: try FileBytes.read(Self.sampleFlags, atMost: 1 << 20), as: UTF8.self)
        _ = try Self.report(commands.answer(Self.importing(samples)))
        for format in [ImportDocument.Format.native, .flagd] {
            let request = ExportRequest(format: format, environment: nil).request
            guard case .done(_, let file) = commands.answer(request) else {
                Issue.record("\(format) was not exported")
                continue
            }
            let text = String(decoding: file, as: UTF8.self)
            let report = try Self.report(commands.answer(Self.importing(text, mode: .replace, isDryRun: true)))
            #expect(report.lines.first == "flags: 0 created, 0 changed, 0 removed, 8 unchanged")
            #expect(report.lines.count == 3)
        }
    }

    @Test("Mistakes are all listed with their places, and nothing is imported")
    func mistakes() throws {
        let commands = try Self.commands()
        let text = #"{"flags":{"a":{"state":"x","variants":{}},"b":7}}"#
        guard case .failed(let reason) = commands.answer(Self.importing(text)) else {
            Issue.record("it was imported")
            return
        }
        for place in ["/flags/a/state", "/flags/a/variants", "/flags/b"] { #expect(reason.contains("\n  \(place) ")) }
        #expect(try commands.store.flags.isEmpty())
    }

    @Test("What is kept although it is not valid is told")
    func kept() throws {
        let text = #"{"flags":{"a":{"state":"x","variants":{"on":true},"defaultVariant":"on"}}}"#
        let report = try Self.report(try Self.commands().answer(Self.importing(text, keepsInvalid: true)))
        #expect(report.kept.count == 1)
        #expect(report.text.contains("/flags/a/state"))
    }

    @Test("A dry run lists changes and stores nothing")
    func dryRun() throws {
        let commands = try Self.commands()
        let text = #"{"flags":{"a":{"state":"ENABLED","variants":{"on":true},"defaultVariant":"on"}}}"#
        let report = try Self.report(commands.answer(Self.importing(text, isDryRun: true)))
        #expect(report.lines.first == "+ flag a")
        #expect(report.text.hasPrefix("Would change in development, nothing was stored:"))
        #expect(try commands.store.flags.isEmpty())
    }

    @Test("A command of a later version is refused, not guessed at")
    func unknown() throws {
        let reply = try Self.commands().answer(ControlRequest(command: "teleport", arguments: [:]))
        #expect(reply == .failed("this version of the server does not know the command teleport"))
    }
}
