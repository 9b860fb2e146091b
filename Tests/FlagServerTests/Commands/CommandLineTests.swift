import ArgumentParser
import FlagCore
import JSON
import Testing

@testable import Administration
@testable import FlagServer

@Suite("Command line")
struct CommandLineTests {
    /// The settings that are options of `serve`, with their names.
    static let options: [(option: String, key: String)] = [
        (Settings.profile.option, Settings.profile.key), (Settings.file.option, Settings.file.key),
        (Settings.host.option, Settings.host.key), (Settings.port.option, Settings.port.key),
        (Settings.dataDirectory.option, Settings.dataDirectory.key), (Settings.store.option, Settings.store.key),
        (Settings.auth.option, Settings.auth.key), (Settings.loops.option, Settings.loops.key),
        (Settings.sampleFlags.option, Settings.sampleFlags.key), (Settings.logLevel.option, Settings.logLevel.key),
        (Settings.logFormat.option, Settings.logFormat.key),
    ]

    @Test("Every option of serve sets the setting of its name", arguments: options)
    func serveOptions(option: String, key: String) throws {
        for arguments in [["serve", option, "x"], [option, "x"]] {
            let command = try #require(try FlagServerCommand.parseAsRoot(arguments) as? ServeCommand)
            #expect(command.options.settings == [key: "x"])
        }
    }

    @Test("How a command is called is told in lines that a terminal has, an option beside its value")
    func usage() {
        let usage =
            "USAGE: flag-server import <file> [--mode <mode>] [--dry-run] [--keep-invalid] [--create] "
            + "[--data-dir <directory>]"
        #expect(
            UsageText.wrapped("Error: no file\n\(usage)\n\n  [\(usage)]") == """
                Error: no file
                USAGE: flag-server import <file> [--mode <mode>] [--dry-run] [--keep-invalid]
                       [--create] [--data-dir <directory>]

                  [\(usage)]
                """)
    }

    @Test("No argument at all serves with nothing set")
    func nothing() throws {
        let command = try #require(try FlagServerCommand.parseAsRoot([]) as? ServeCommand)
        #expect(command.options.settings.isEmpty)
    }

    @Test("Of an option that is given twice the last one counts, so that scripts can be overruled")
    func twice() throws {
        let command = try FlagServerCommand.parseAsRoot(["--port", "1", "--port", "2"]) as? ServeCommand
        #expect(command?.options.settings == ["port": "2"])
    }

    @Test("A time to restore to that UTC has no year for is refused, on the command line and by the server it goes to")
    func restoreTimes() throws {
        let time = "9999-12-31T23:59:59-05:00"
        #expect(throws: (any Error).self) { try FlagServerCommand.parseAsRoot(["restore", "--time", time]) }
        for argument in [JSONValue.string(time), 7, "yesterday"] {
            #expect(throws: DefinitionIssues.self) { try RestoreRequest(json: ["time": argument]) }
        }
    }

    @Test("What is to be restored is said in one way, and nothing else is said")
    func restoreRequests() throws {
        let time = try #require(Timestamp(rfc3339: "2026-01-02T03:04:05Z"))
        let cases: [(JSONValue, RestoreRequest.Source?)] = [
            (["backup": "b"], .backup("b")), (["file": "/f"], .file("/f")), (["time": "latest"], .table(nil, at: nil)),
            (["time": "2026-01-02T03:04:05Z", "table": "t"], .table("t", at: time)),
            (["time": "2026-01-02T03:04:05Z", "pass": 2], .table(nil, at: time)),
            ([:], nil), ([], nil), (["backup": "b", "time": "latest"], nil), (["backup": "b", "file": "f"], nil),
            (["backup": ""], nil), (["backup": 1], nil), (["backup": "b", "replaces": true], nil),
            (["time": "latest", "pass": 1], nil), (["time": "2026-01-02T03:04:05Z", "pass": 0], nil),
        ]
        for (json, source) in cases {
            #expect((try? RestoreRequest(json: json))?.source == source, "\(json)")
            if source == nil { #expect(throws: DefinitionIssues.self, "\(json)") { try RestoreRequest(json: json) } }
        }
        let whole = try RestoreRequest(json: ["backup": "b", "target": "t", "replace": true])
        #expect(whole.target == "t" && whole.replaces)
    }

    @Test(
        "A server is named by its address alone",
        arguments: [
            (["--server", "localhost:3001"], "http://HOST:PORT"), (["--server", "ftp://a"], "http://HOST:PORT"),
            (["--server", "http://a?b"], "before any ?"), (["--server", "unix:relative"], "absolute path"),
            (["--server", "http://a", "--data-dir", "b"], "excludes"), (["--server-ca", "a"], "without --server"),
        ])
    func badServers(arguments: [String], words: String) {
        for command in [["import", "x"], ["export"]] {
            let error = #expect(throws: (any Error).self) { try FlagServerCommand.parseAsRoot(command + arguments) }
            #expect(error.map { FlagServerCommand.fullMessage(for: $0).contains(words) } == true)
            #expect(error.map { FlagServerCommand.exitCode(for: $0).rawValue } == 64)
        }
    }

    @Test(
        "Every command that works on a store takes a server", arguments: ["http://a", "HTTPS://a:1/b/", "unix:/x.sock"])
    func servers(address: String) throws {
        let command = try FlagServerCommand.parseAsRoot(["export", "--server", address]) as? ExportCommand
        #expect(command?.door.server.server == address)
        for words in [
            ["backup", "create"], ["backup", "list"], ["backup", "delete", "b"], ["backup", "continuous", "on"],
            ["restore", "b"], ["verify"], ["work", "list"], ["import", "f"],
        ] {
            #expect(throws: Never.self) { try FlagServerCommand.parseAsRoot(words + ["--server", address]) }
        }
    }

    @Test("Tables alone are served on loopback addresses only, since signatures are not checked")
    func dynamodb() throws {
        let command = try FlagServerCommand.parseAsRoot(["dynamodb"]) as? DynamoDBCommand
        #expect(command?.port == 8000)
        #expect(command?.host == "127.0.0.1")
        let error = #expect(throws: (any Error).self) {
            try FlagServerCommand.parseAsRoot(["dynamodb", "--host", "0.0.0.0"])
        }
        #expect(error.map { FlagServerCommand.fullMessage(for: $0).contains("loopback") } == true)
        #expect(error.map { FlagServerCommand.exitCode(for: $0).rawValue } == 64)
    }

    @Test("An unknown environment is refused with those that exist")
    func environment() {
        let error = #expect(throws: (any Error).self) {
            try FlagServerCommand.parseAsRoot(["export", "--environment", "test"])
        }
        let message = error.map { FlagServerCommand.fullMessage(for: $0) } ?? ""
        #expect(message.contains("staging (also spelled dev)"))
    }

    @Test(
        "The help of every command fits a terminal and says how it ends",
        arguments: ["serve", "dynamodb", "import", "export"])
    func help(command: String) {
        let text = FlagServerCommand.helpMessage(for: Self.type(of: command), columns: 80)
        #expect(text.contains("Exit status: 0 "))
        #expect(text.split(separator: "\n").filter { !$0.hasPrefix("USAGE") }.allSatisfy { $0.count <= 80 })
    }

    private static func type(of command: String) -> any ParsableCommand.Type {
        switch command {
        case "dynamodb": DynamoDBCommand.self
        case "import": ImportCommand.self
        case "export": ExportCommand.self
        default: ServeCommand.self
        }
    }
}
