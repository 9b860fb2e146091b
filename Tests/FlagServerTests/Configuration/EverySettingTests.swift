import Access
import FlagCore
import FlagStore
import Foundation
import HTTPTransport
import Logging
import TestSupport
import Testing

@testable import Evaluation
@testable import FlagCache
@testable import FlagServer
@testable import HTTPRouting

@Suite("Every setting")
struct EverySettingTests {
    /// A setting, another value of it than any default, and what that changes of a configuration.
    struct Case: CustomTestStringConvertible, Sendable {
        let key: String
        let text: String
        let change: @Sendable (inout ServerConfiguration) -> Void
        var testDescription: String { key }

        init(_ key: String, _ text: String, _ change: @escaping @Sendable (inout ServerConfiguration) -> Void) {
            (self.key, self.text, self.change) = (key, text, change)
        }
    }

    static let cases: [Case] = general + limits + timeouts

    private static let general = [
        Case("profile", "prod") { $0 = .defaults(for: .prod) },
        Case("host", "127.0.0.7,::1") { $0.host = "127.0.0.7,::1" },
        Case("port", "4711") { $0.port = 4711 },
        Case("cors.origins", "https://shop.example.com, http://localhost:5173") {
            $0.corsOrigins = ["https://shop.example.com", "http://localhost:5173"]
        },
        Case("at-rest.key", "/etc/flag-server/at-rest.key") { $0.atRestKey = "/etc/flag-server/at-rest.key" },
        Case("at-rest.former-key", "/etc/flag-server/former.key") {
            $0.atRestFormerKey = "/etc/flag-server/former.key"
        },
        Case("tokens.issuers", "/srv/issuers.json") { $0.tokenIssuers = "/srv/issuers.json" },
        Case("hosts", "flags.internal, b") { $0.hosts = ["flags.internal", "b"] },
        Case("trusted-proxies", "10.0.0.0/8") { $0.trustedProxies = [AddressRange("10.0.0.0/8")].compactMap { $0 } },
        Case("loops", "3") { $0.loops = .exactly(3) },
        Case("store", "memory") { $0.store = .memory },
        Case("data-dir", "/srv/flags") { $0.dataDirectory = "/srv/flags" },
        Case("sample-flags", "/srv/some.json") { $0.sampleFlags = "/srv/some.json" },
        Case("auth", "on") { $0.auth = .on },
        Case("throttle.administration", "7/h") {
            $0.throttle.administration = .rate(RequestRate(requests: 7, seconds: 3600))
        },
        Case("throttle.evaluations", "777/s") {
            $0.throttle.evaluations = .rate(RequestRate(requests: 777, seconds: 1))
        },
        Case("metrics.allow", "10.0.0.0/8, ::1, unix") {
            $0.metricsReaders = ["10.0.0.0/8", "::1", "unix"].compactMap { AddressRange($0) }
        },
        Case("audit.retention", "7d") { $0.audit.retentionDays = 7 },
        Case("audit.require-reason", "production, dev") { $0.audit.reasonRequired = [.production, .staging] },
        Case("audit.ship", "https://audit.example.com/flags") {
            $0.audit.destination = .url("https://audit.example.com/flags")
        },
        Case("tls.terminated-by", "proxy") { $0.tlsTermination = .proxy },
        Case("dynamodb-port", "8123") { $0.dynamodbPort = 8123 },
        Case("dynamodb.body", "7MiB") { $0.dynamodb.bodyBytes = 7 << 20 },
        Case("dynamodb.idle", "77s") { $0.dynamodb.idle = .seconds(77) },
        Case("dynamodb.handler", "77s") { $0.dynamodb.handler = .seconds(77) },
        Case("dynamodb.request", "777s") { $0.dynamodb.request = .seconds(777) },
        Case("log.level", "error") { $0.log.level = .error },
        Case("log.format", "json") { $0.log.format = .json },
        Case("log.access", "1/100") { $0.log.access = .sample(of: 100) },
        Case("log.levels.administration", "debug") { $0.log.moduleLevels[.administration] = .debug },
        Case("log.levels.audit", "debug") { $0.log.moduleLevels[.audit] = .debug },
        Case("log.levels.dynamodb", "debug") { $0.log.moduleLevels[.dynamodb] = .debug },
        Case("log.levels.evaluation", "debug") { $0.log.moduleLevels[.evaluation] = .debug },
        Case("log.levels.keys", "debug") { $0.log.moduleLevels[.keys] = .debug },
        Case("log.levels.schedules", "debug") { $0.log.moduleLevels[.schedules] = .debug },
        Case("log.levels.store", "debug") { $0.log.moduleLevels[.store] = .debug },
        Case("evaluation.fractional", "v2") { $0.evaluation.fractional = .v2 },
        Case("cache.ttl", "77s") { $0.cache.timeToLiveMilliseconds = 77_000 },
        Case("cache.capacity", "777") { $0.cache.capacity = 777 },
        Case("stream.retention", "7h") { $0.stream.retention = .seconds(7 * 3600) },
        Case("stream.maximum", "7MiB") { $0.stream.maximumBytes = 7 << 20 },
        Case("history.versions", "77") { $0.history.versions = 77 },
        Case("schedules.late", "7h") { $0.scheduleLate = .seconds(7 * 3600) },
        Case("gzip.minimum", "777") { $0.compression.minimumBytes = 777 },
        Case("gzip.maximum", "7KiB") { $0.compression.maximumBytes = 7 << 10 },
        Case("gzip.level", "7") { $0.compression.level = 7 },
    ]

    private static let limits = [
        Case("limits.connections", "77") { $0.limits.connections = 77 },
        Case("limits.request-line", "777") { $0.limits.requestLineBytes = 777 },
        Case("limits.header-fields", "77") { $0.limits.fieldCount = 77 },
        Case("limits.header-bytes", "7KiB") { $0.limits.fieldBytes = 7 << 10 },
        Case("limits.body", "7KiB") { $0.limits.bodyBytes = 7 << 10 },
        Case("limits.connections-per-address", "7") { $0.limits.connectionsPerAddress = 7 },
        Case("limits.refused-connections", "7") { $0.limits.refusedConnections = 7 },
        Case("limits.body-rate", "7") { $0.limits.bodyRate = 7 },
        Case("limits.chunk-line", "77") { $0.limits.chunkLineBytes = 77 },
        Case("limits.pending-output", "7KiB") { $0.limits.pendingOutputBytes = 7 << 10 },
        Case("limits.context", "7KiB") { $0.contextLimits.bytes = 7 << 10 },
        Case("limits.context-text", "777") { $0.contextLimits.textBytes = 777 },
        Case("limits.kept-output", "77MiB") { $0.limits.keptOutputBytes = 77 << 20 },
        Case("limits.kept-input", "77MiB") { $0.limits.keptInputBytes = 77 << 20 },
        Case("limits.output-rate", "77") { $0.limits.outputRate = 77 },
        Case("limits.bulk-answer", "777KiB") { $0.bulkResponseBytes = 777 << 10 },
        Case("limits.linger", "7KiB") { $0.limits.lingerBytes = 7 << 10 },
    ]

    private static let timeouts = [
        Case("timeouts.head", "7s") { $0.timeouts.head = .seconds(7) },
        Case("timeouts.body", "7s") { $0.timeouts.body = .seconds(7) },
        Case("timeouts.request", "77s") { $0.timeouts.request = .seconds(77) },
        Case("timeouts.handler", "7s") { $0.timeouts.handler = .seconds(7) },
        Case("timeouts.idle", "7s") { $0.timeouts.idle = .seconds(7) },
        Case("timeouts.write", "7s") { $0.timeouts.write = .seconds(7) },
        Case("timeouts.drain", "7s") { $0.drainTimeout = .seconds(7) },
        Case("timeouts.linger", "7s") { $0.timeouts.linger = .seconds(7) },
        Case("timeouts.rate-grace", "7s") { $0.timeouts.rateGrace = .seconds(7) },
        Case("timeouts.lag", "7s") { $0.timeouts.lag = .seconds(7) },
    ]

    @Test("A setting changes what it configures and nothing else, in the environment and in a file", arguments: cases)
    func reaches(_ setting: Case) throws {
        let variable = Setting<String>.variable(setting.key)
        var expected = try ServerConfigurationTests.load()
        let plain = expected
        setting.change(&expected)
        #expect(expected != plain, "The value is another one than the default")
        #expect(try ServerConfigurationTests.load(environment: [variable: setting.text]) == expected)
        #expect(try ServerConfigurationTests.load(commandLine: [setting.key: setting.text]) == expected)
        let directory = try TemporaryDirectory()
        let parts = setting.key.split(separator: ".")
        let lines = parts.enumerated().map { depth, name in "\(String(repeating: "  ", count: depth))\(name):" }
        let value = parts.count == 1 ? "\"\(setting.text)\"" : setting.text
        let path = try directory.write("any.yaml", "\(lines.joined(separator: "\n")) \(value)\n")
        var inFile = try ServerConfigurationTests.load(commandLine: ["config": path])
        #expect(inFile.file == path)
        inFile.file = nil
        #expect(inFile == expected)
    }

    @Test("A setting is exchanged while the server serves exactly where that is said of it", arguments: cases)
    func isExchanged(_ setting: Case) throws {
        var (current, other) = (try ServerConfigurationTests.load(), try ServerConfigurationTests.load())
        setting.change(&other)
        current.takeExchangeable(of: other)
        #expect((current == other) == Settings.exchangedWhileServing.contains(setting.key))
    }

    @Test("There is no setting that these tests leave out")
    func complete() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("any.yaml", "quetzalcoatlus: 1\n")
        let issue = try #require(ServerConfigurationTests.issues(commandLine: ["config": path]).first)
        let parts = issue.split(separator: " is no setting; there are ")
        let known = try #require(parts.dropFirst().first).split(separator: ", ").map(String.init)
        let elsewhere = [
            "environment", "tls", "tls.certificate", "tls.key", "tls.minimum-version", "dynamodb.tls", "auth.mode",
            "auth.issuers", "approvals.development", "approvals.staging", "approvals.production", "freeze",
        ]
        #expect(Set(known) == Set(Self.cases.map(\.key) + elsewhere))
    }

    @Test("auth may be a section, with the issuers of tokens in it")
    func section() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("any.yaml", "auth:\n  mode: on\n  issuers: /etc/issuers.json\n")
        let configuration = try ServerConfigurationTests.load(commandLine: ["config": path])
        #expect(configuration.auth == .on && configuration.tokenIssuers == "/etc/issuers.json")
    }

    @Test("A certificate and its key secure connections together; one without the other is a mistake, not plain HTTP")
    func certificate() throws {
        let both = ["FLAG_SERVER_TLS_CERTIFICATE": "/c.pem", "FLAG_SERVER_TLS_KEY": "/k.pem"]
        let tls = try #require(try ServerConfigurationTests.load(environment: both).tls)
        #expect(tls == TLSConfiguration(certificateFile: "/c.pem", keyFile: "/k.pem"))
        let older = both.merging(["FLAG_SERVER_TLS_MINIMUM_VERSION": "1.2"]) { $1 }
        #expect(try ServerConfigurationTests.load(environment: older).tls?.minimumVersion == .tls12)
        for (name, path) in both {
            #expect(
                ServerConfigurationTests.issues(environment: [name: path])
                    == ["tls.certificate and tls.key go together: one is not set"])
        }
        let secured = both.merging(["FLAG_SERVER_DYNAMODB_TLS": "on"]) { $1 }
        #expect(try ServerConfigurationTests.load(environment: secured).dynamodb.tls == .on)
        #expect(
            ServerConfigurationTests.issues(environment: ["FLAG_SERVER_DYNAMODB_TLS": "on"]).map { $0.prefix(12) }
                == ["dynamodb.tls"])
        #expect(try ServerConfigurationTests.load().tls == nil)
        #expect(try ServerConfigurationTests.load(environment: ["FLAG_SERVER_TLS_MINIMUM_VERSION": "1.2"]).tls == nil)
    }

    @Test(
        "With authentication off, every address of a list must be this machine's alone",
        arguments: [
            ("127.0.0.1,0.0.0.0", false), ("0.0.0.0,127.0.0.1", false), ("127.0.0.1, 10.0.0.1 ,::1", false),
            ("unix:/run/flags.sock,10.0.0.1", false), ("localhost,flags.example", false), ("::1,::", false),
            ("::ffff:10.0.0.1", false), ("127.0.0.1,128.0.0.1", false), ("127.0.0.256", false),
            ("127.0.0.1,::1", true), ("127.0.0.1, ::1 , localhost", true), ("unix:/run/flags.sock", true),
            ("unix:/run/flags.sock,127.0.0.2", true), ("[::1]", true),
        ])
    func addresses(list: String, isAllowed: Bool) throws {
        let issues = ServerConfigurationTests.issues(commandLine: ["host": list, "auth": "off"])
        #expect(issues.isEmpty == isAllowed)
        #expect(issues.allSatisfy { $0.hasPrefix("auth must be on ") })
        #expect(try ServerConfigurationTests.load(commandLine: ["host": list, "auth": "on"]).auth == .on)
    }

    @Test("A client calls the server by addresses, the machine's name and the names given", arguments: ["on", "off"])
    func names(auth: String) throws {
        func admits(_ host: String, _ options: [String: String]) throws -> Bool {
            let hosts = try ServerConfigurationTests.load(commandLine: options).servedHosts
            return Array(host.utf8).withUnsafeBytes { hosts.contains($0) }
        }
        let options = ["host": "127.0.0.1, unix:/run/x.sock", "hosts": "flags.internal", "auth": auth]
        let machine = ProcessInfo.processInfo.hostName
        for host in ["flags.internal", "flags.internal:3001", "127.0.0.1:3001", "localhost", "10.0.0.1", machine] {
            #expect(try admits(host, options))
        }
        for host in ["evil.example", "internal", "unix", "\(machine).evil.example"] {
            #expect(try !admits(host, options))
        }
        let named = ["host": "flags.example,127.0.0.1", "auth": "on"]
        #expect(try admits("flags.example:3001", named))
    }

    // MARK: - Bounds

    private static let numbers: [(setting: Setting<Int>, allowed: [String], refused: [String])] = [
        (Settings.port, ["0", "65535"], ["65536", "-1", "1.5", ""]),
        (Settings.dynamodbPort, ["0", "65535"], ["65536"]),
        (Settings.cacheCapacity, ["1", "1000000"], ["0", "1000001"]),
        (Settings.streamMaximum, ["0", "1048576GiB"], ["1048577GiB"]),
        (Settings.historyVersions, ["10", "10000"], ["9", "10001"]),
        (Settings.connections, ["1", "1000000"], ["0", "1000001"]),
        (Settings.requestLine, ["256", "64KiB"], ["255", "65537"]),
        (Settings.headerFields, ["1", "1000"], ["0", "1001"]),
        (Settings.headerBytes, ["1KiB", "1MiB"], ["1023", "1048577"]),
        (Settings.body, ["1KiB", "64MiB"], ["1023", "67108865"]),
        (Settings.connectionsPerAddress, ["0", "1000000"], ["1000001"]),
        (Settings.refusedConnections, ["0", "100000"], ["100001"]),
        (Settings.bodyRate, ["0", "1GiB"], ["1073741825"]),
        (Settings.chunkLine, ["16", "64KiB"], ["15", "65537"]),
        (Settings.pendingOutput, ["1KiB", "1GiB"], ["1023", "1073741825"]),
        (Settings.context, ["1KiB", "64MiB"], ["1023", "67108865"]),
        (Settings.contextText, ["256", "64MiB"], ["255", "67108865"]),
        (Settings.keptOutput, ["64KiB", "64GiB"], ["65535", "68719476737"]),
        (Settings.keptInput, ["64KiB", "64GiB"], ["65535", "68719476737"]),
        (Settings.outputRate, ["0", "1GiB"], ["1073741825"]),
        (Settings.bulkResponse, ["64KiB", "1GiB"], ["65535", "1073741825"]),
        (Settings.lingerBytes, ["0", "1GiB"], ["1073741825"]),
        (Settings.gzipMinimum, ["0", "1GiB"], ["1073741825"]),
        (Settings.gzipMaximum, ["0", "1GiB"], ["1073741825"]),
        (Settings.gzipLevel, ["1", "9"], ["0", "10"]),
    ]

    private static let times: [(setting: Setting<Duration>, allowed: [String], refused: [String])] =
        [
            (Settings.cacheTimeToLive, ["1s", "24h"], ["999ms", "86401s"]),
            (Settings.streamRetention, ["1m", "8784h"], ["59s", "8785h"]),
            (Settings.scheduleLate, ["0s", "8784h"], ["8785h", "1d"]),
            (Settings.rateGrace, ["0s", "1h"], ["3601s"]),
            (Settings.lag, ["0s", "1h"], ["3601s"]),
        ]
        + [
            Settings.headTimeout, Settings.bodyTimeout, Settings.requestTimeout, Settings.handlerTimeout,
            Settings.idleTimeout, Settings.writeTimeout, Settings.drainTimeout, Settings.lingerTimeout,
        ].map { ($0, ["100ms", "1h"], ["99ms", "3601s"]) }

    @Test("The bounds of each number and each time are allowed, and what lies beyond is not")
    func bounds() {
        for (setting, allowed, refused) in Self.numbers {
            for text in allowed { #expect(setting.parse(text) != nil, "\(setting.key) \(text)") }
            for text in refused { #expect(setting.parse(text) == nil, "\(setting.key) \(text)") }
        }
        for (setting, allowed, refused) in Self.times {
            for text in allowed { #expect(setting.parse(text) != nil, "\(setting.key) \(text)") }
            for text in refused { #expect(setting.parse(text) == nil, "\(setting.key) \(text)") }
        }
        for (text, isAllowed) in [("auto", true), ("1", true), ("256", true), ("0", false), ("257", false)] {
            #expect((Settings.loops.parse(text) != nil) == isAllowed)
        }
        for (text, isAllowed) in [("a,b", true), ("a, b", true), ("a:1", false), ("http://a", false)] {
            #expect((Settings.hosts.parse(text) != nil) == isAllowed)
        }
        for text in ["*", "https://a,http://b:8080", "https://a, *"] {
            #expect(Settings.corsOrigins.parse(text) != nil, "\(text)")
        }
        for text in ["https://a,", "https://a/", "a", "", "https://a https://b", "https://a b"] {
            #expect(Settings.corsOrigins.parse(text) == nil, "\(text)")
        }
        #expect(Settings.trustedProxies.parse("10.0.0.0/8,") == nil)
    }

    @Test("What one request or answer may have may be as much as all may have, and no more; so with times")
    func relations() throws {
        for (part, whole) in [("LIMITS_BODY", "LIMITS_KEPT_INPUT"), ("LIMITS_BULK_ANSWER", "LIMITS_KEPT_OUTPUT")] {
            let equal = ["FLAG_SERVER_\(part)": "9MiB", "FLAG_SERVER_\(whole)": "9MiB"]
            #expect(ServerConfigurationTests.issues(environment: equal) == [])
            let more = ["FLAG_SERVER_\(part)": "9437185", "FLAG_SERVER_\(whole)": "9MiB"]
            #expect(ServerConfigurationTests.issues(environment: more).count == 1)
        }
        for part in ["HEAD", "BODY", "HANDLER"] {
            let equal = ["FLAG_SERVER_TIMEOUTS_\(part)": "29s"]
            #expect(ServerConfigurationTests.issues(environment: equal) == [])
            let more = ["FLAG_SERVER_TIMEOUTS_\(part)": "29001ms"]
            #expect(ServerConfigurationTests.issues(environment: more).count == 1)
        }
    }
}
