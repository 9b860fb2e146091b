import ChangeControl
import FlagCore
import JSON
import Logging
import TestSupport
import Testing

@testable import FlagServer

@Suite("Settings of approvals and freezes")
struct ChangeSettingsTests {
    private static let entry: JSONValue = [
        "environment": "production", "from": "2026-12-20T00:00:00+01:00", "to": "2027-01-04T00:00:00Z",
        "reason": "Christmas: nobody is here",
    ]

    private static func load(file: String) throws -> ServerConfiguration {
        let directory = try TemporaryDirectory()
        return try ServerConfigurationTests.load(commandLine: ["config": directory.write("any.yaml", file)])
    }

    @Test("How many others have to agree is said of each environment, in a file, a variable or an option")
    func approvals() throws {
        let expected: [Environment: Int] = [.production: 2, .staging: 1]
        let file = "auth: on\napprovals: {production: 2, staging: 1, development: 0}\n"
        #expect(try Self.load(file: file).changes.approvals == expected)
        let variables = ["FLAG_SERVER_APPROVALS_PRODUCTION": "2", "FLAG_SERVER_APPROVALS_STAGING": "1"]
        #expect(
            try ServerConfigurationTests.load(commandLine: ["auth": "on"], environment: variables).changes.approvals
                == expected)
        let issues = ServerConfigurationTests.issues(commandLine: ["auth": "on", "approvals.production": "6"])
        #expect(issues == ["--approvals-production must be a whole number from 0 to 5, not \"6\""])
    }

    @Test("With authentication off nobody could agree to anything: the start is refused, with a sentence")
    func withoutAuthentication() {
        let issues = ServerConfigurationTests.issues(commandLine: ["approvals.production": "1"])
        #expect(issues.count == 1)
        #expect(issues.first?.hasPrefix("approvals.production must be 0 (1 from --approvals-production)") == true)
    }

    @Test(
        "Freezes are a list of objects in a file, in either style of YAML, and the same as JSON in a variable",
        arguments: [
            "freeze: [{environment: production, from: 2026-12-20T00:00:00+01:00, to: 2027-01-04T00:00:00Z, "
                + "reason: 'Christmas: nobody is here'}]\n",
            "freeze:\n  - environment: production\n    from: 2026-12-20T00:00:00+01:00\n"
                + "    to: 2027-01-04T00:00:00Z\n    reason: \"Christmas: nobody is here\"\nport: 4711\n",
        ])
    func freezes(file: String) throws {
        let expected = [try FreezeDraft(json: Self.entry, at: nil)]
        #expect(try Self.load(file: file).changes.freezes == expected)
        let variable = ["FLAG_SERVER_FREEZE": JSONValue.array([Self.entry]).serialized()]
        #expect(try ServerConfigurationTests.load(environment: variable).changes.freezes == expected)
    }

    @Test("No freezes is a list, too, and the rest of a file is read as without the list")
    func none() throws {
        #expect(try Self.load(file: "freeze: []\n").changes.freezes.isEmpty)
        let file = "freeze: [{environment: dev, from: 2026-12-20T00:00:00Z, to: 2026-12-21T00:00:00Z, reason: r}]\n"
        let configuration = try Self.load(file: file + "port: 4711\nlog:\n  level: error\nhosts: a, b\n")
        #expect(configuration.port == 4711 && configuration.log.level == .error && configuration.hosts == ["a", "b"])
        #expect(configuration.changes.freezes.count == 1)
    }

    @Test(
        "What is no freeze keeps the server from starting",
        arguments: [
            "freeze: [{environment: production}]\n", "freeze: tomorrow\n", "freeze: [production]\n",
            "freeze: [{environment: moon, from: 2026-12-20T00:00:00Z, to: 2026-12-21T00:00:00Z, reason: r}]\n",
            "freeze: [{environment: staging, from: 2026-12-22T00:00:00Z, to: 2026-12-21T00:00:00Z, reason: r}]\n",
            "freeze: [{environment: staging, to: 2026-12-21T00:00:00Z, reason: r}]\n",
        ])
    func wrong(file: String) throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("any.yaml", file)
        let issues = ServerConfigurationTests.issues(commandLine: ["config": path])
        #expect(issues.count == 1 && issues[0].hasPrefix("\(path): freeze must be a list"), "\(issues)")
    }

    @Test("A list of objects in another place is as wrong as it was")
    func elsewhere() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("any.yaml", "host: [{a: 1}]\n")
        let issues = ServerConfigurationTests.issues(commandLine: ["config": path])
        #expect(issues.count == 1 && issues[0].hasPrefix("\(path): cannot be read as YAML"), "\(issues)")
    }
}
