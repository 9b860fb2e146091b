import FlagCore
import Foundation
import HTTPTransport
import TestSupport
import Testing

@testable import FlagServer

/// What the profile `prod` does not start with. The others do, and say what is wrong in the log.
@Suite("Starting in production")
struct ProductionTests {
    private static let outside = ["profile": "prod", "host": "0.0.0.0"]
    private static let certificate = ["FLAG_SERVER_TLS_CERTIFICATE": "/c.pem", "FLAG_SERVER_TLS_KEY": "/k.pem"]

    @Test("Without TLS it listens on this machine alone, unless somebody says that a proxy does it")
    func security() throws {
        let issues = ServerConfigurationTests.issues(commandLine: Self.outside)
        #expect(issues.count == 1)
        let issue = try #require(issues.first)
        for part in ["tls.certificate and tls.key must be set", "host is 0.0.0.0 from --host", "tls: proxy"] {
            #expect(issue.contains(part))
        }
        #expect(ServerConfigurationTests.issues(commandLine: Self.outside, environment: Self.certificate) == [])
        for host in ["127.0.0.1", "unix:/run/x.sock", "::1,localhost"] {
            #expect(ServerConfigurationTests.issues(commandLine: ["profile": "prod", "host": host]) == [])
        }
        for profile in ["dev", "local"] {
            let options = ["profile": profile, "host": "0.0.0.0", "auth": "on"]
            #expect(ServerConfigurationTests.issues(commandLine: options) == [])
        }
    }

    @Test("Who terminates TLS is said in either spelling, wherever settings are")
    func termination() throws {
        let directory = try TemporaryDirectory()
        let texts = ["tls: proxy\n", "tls:\n  terminated-by: proxy\n"]
        for (number, text) in texts.enumerated() {
            let path = try directory.write("\(number).yaml", text)
            let options = Self.outside.merging(["config": path]) { $1 }
            #expect(try ServerConfigurationTests.load(commandLine: options).tlsTermination == .proxy)
        }
        for name in ["FLAG_SERVER_TLS", "FLAG_SERVER_TLS_TERMINATED_BY"] {
            #expect(ServerConfigurationTests.issues(commandLine: Self.outside, environment: [name: "proxy"]) == [])
        }
        for (text, said) in [
            ("tls: on\n", "tls must be here, or proxy"), ("tls:\n  proxy: yes\n", "tls.proxy is no setting"),
        ] {
            let path = try directory.write("wrong.yaml", text)
            let issues = ServerConfigurationTests.issues(commandLine: ["config": path])
            #expect(issues.contains { $0.contains(said) } && !issues.contains { $0.contains("single value") })
        }
        // As the shipped files are when somebody comments the last line out.
        let empty = try directory.write("empty.yaml", "tls:\n  # certificate: x\n")
        #expect(try ServerConfigurationTests.load(commandLine: ["config": empty]).tlsTermination == .here)
    }

    @Test("So it is with the DynamoDB port, where that is open")
    func dynamodb() throws {
        let port = Self.outside.merging(["dynamodb-port": "8000"]) { $1 }
        let issues = ServerConfigurationTests.issues(commandLine: port, environment: Self.certificate)
        #expect(issues.count == 1 && issues.first?.hasPrefix("dynamodb.tls must be on") ?? false)
        let secured = Self.certificate.merging(["FLAG_SERVER_DYNAMODB_TLS": "on"]) { $1 }
        #expect(ServerConfigurationTests.issues(commandLine: port, environment: secured) == [])
        #expect(
            ServerConfigurationTests.issues(commandLine: port, environment: ["FLAG_SERVER_TLS": "proxy"]) == [])
    }

    @Test(
        "Secrets that others can read are named, with what to do",
        arguments: [
            ("access.key", 0o600, nil), ("access.key", 0o640, "chmod 600"), ("access.key", 0o604, "chmod 600"),
            ("credentials/access.key", 0o440, nil), ("credentials/access.key", 0o444, "chmod o-rwx"),
            ("key.pem", 0o600, nil), ("key.pem", 0o644, "chmod o-r"),
        ] as [(String, Int, String?)])
    func secrets(name: String, mode: Int, remedy: String?) throws {
        let directory = try TemporaryDirectory()
        let credentials = directory.path + "/credentials"
        try FileManager.default.createDirectory(atPath: credentials, withIntermediateDirectories: true)
        let path = try directory.write(name, String(repeating: "x", count: 32))
        try #require(chmod(path, mode_t(mode)) == 0)
        var configuration = ServerConfiguration.defaults(for: .prod, stateDirectory: directory.path)
        configuration.tls = TLSConfiguration(certificateFile: path, keyFile: directory.path + "/key.pem")
        let environment = ["CREDENTIALS_DIRECTORY": credentials]
        let exposed = configuration.exposedSecrets(environment: environment)
        #expect(exposed.count == (remedy == nil ? 0 : 1))
        if let remedy { #expect(exposed.first?.contains(remedy) ?? false && exposed.first?.contains(path) ?? false) }
    }
}
