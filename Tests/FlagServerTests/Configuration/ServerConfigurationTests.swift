import FlagCore
import FlagStore
import Foundation
import HTTPTransport
import TestSupport
import Testing

@testable import FlagServer

@Suite("Configuration")
struct ServerConfigurationTests {
    /// Loads with nothing around it but what a test gives.
    static func load(
        commandLine: [String: String] = [:], environment: [String: String] = [:], directories: [String] = []
    ) throws(ConfigurationError) -> ServerConfiguration {
        try ServerConfiguration.load(commandLine: commandLine, environment: environment, directories: directories)
    }

    /// The mistakes that loading complains of.
    static func issues(
        commandLine: [String: String] = [:], environment: [String: String] = [:], directories: [String] = []
    ) -> [String] {
        do {
            _ = try load(commandLine: commandLine, environment: environment, directories: directories)
            return []
        } catch {
            return error.issues
        }
    }

    @Test("The shipped files say what is built in, and set everything but paths", arguments: Profile.allCases)
    func shippedFiles(profile: Profile) throws {
        let directory = Repository.root + "/config"
        let shipped = try Self.load(commandLine: ["profile": profile.rawValue], directories: [directory])
        var builtIn = try Self.load(commandLine: ["profile": profile.rawValue])
        #expect(shipped.file == "\(directory)/\(profile.rawValue).yaml")
        #expect(builtIn.file == nil)
        builtIn.file = shipped.file
        #expect(shipped == builtIn)

        let found = try ConfigurationFile.find(requested: shipped.file, profile: "")
        let file = try #require(found)
        #expect(file.keys.count == 64)
    }

    @Test("A file that is there and cannot be read is not passed over")
    func unreadableFile() throws {
        let (first, second) = (try TemporaryDirectory(), try TemporaryDirectory())
        try second.write("local.yaml", "port: 4001\n")
        #expect(try Self.load(directories: [first.path, second.path]).port == 4001)
        // A link that leads to itself: also root cannot read it.
        try FileManager.default.createSymbolicLink(
            atPath: first.path + "/local.yaml", withDestinationPath: first.path + "/local.yaml")
        let issues = Self.issues(directories: [first.path, second.path])
        #expect(issues.count == 1 && issues[0].hasPrefix("\(first.path)/local.yaml: "))
    }

    @Test("Options win over variables, variables over the file, the file over the defaults")
    func precedence() throws {
        let directory = try TemporaryDirectory()
        try directory.write("local.yaml", "port: 4001\nhost: 127.0.0.2\nlog:\n  level: debug\n")
        let configuration = try Self.load(
            commandLine: ["port": "4003"],
            environment: ["FLAG_SERVER_PORT": "4002", "FLAG_SERVER_HOST": "127.0.0.3", "PATH": "/bin"],
            directories: [directory.path])
        #expect(configuration.port == 4003)
        #expect(configuration.host == "127.0.0.3")
        #expect("\(configuration.log.level)" == "debug")
        #expect(configuration.log.format == .text)
    }

    @Test("Trusted proxies are addresses, networks, and peers of Unix sockets")
    func trustedProxies() throws {
        let proxies = try Self.load(environment: ["FLAG_SERVER_TRUSTED_PROXIES": "10.0.0.0/8, ::1,unix"]).trustedProxies
        #expect(proxies == ["10.0.0.0/8", "::1", "unix"].compactMap { AddressRange($0) })
        #expect(try Self.load().trustedProxies.isEmpty)
    }

    @Test("An IPv6 address may have the brackets that it has in a URL")
    func brackets() throws {
        #expect(try Self.load(commandLine: ["host": "[::1]"]).host == "::1")
        #expect(try Self.load(commandLine: ["host": "::1"]).host == "::1")
    }

    @Test("A mistake between settings names both with where they come from")
    func origins() throws {
        let directory = try TemporaryDirectory()
        try directory.write("local.yaml", "timeouts:\n  request: 12s\n")
        let file = "\(directory.path)/local.yaml"
        #expect(
            Self.issues(environment: ["FLAG_SERVER_TIMEOUTS_HEAD": "13s"], directories: [directory.path]) == [
                "timeouts.head must be at most timeouts.request (12s from \(file)), "
                    + "not 13s from FLAG_SERVER_TIMEOUTS_HEAD: it is a part of it",
                "timeouts.body must be at most timeouts.request (12s from \(file)), "
                    + "not 20s by default: it is a part of it",
                "timeouts.handler must be at most timeouts.request (12s from \(file)), "
                    + "not 15s by default: it is a part of it",
            ])
        #expect(
            Self.issues(environment: [
                "FLAG_SERVER_LIMITS_KEPT_OUTPUT": "4MiB", "FLAG_SERVER_LIMITS_KEPT_INPUT": "512KiB",
            ]) == [
                "limits.body must be at most limits.kept-input (512KiB from FLAG_SERVER_LIMITS_KEPT_INPUT), "
                    + "not 1MiB by default",
                "limits.bulk-answer must be at most limits.kept-output (4MiB from FLAG_SERVER_LIMITS_KEPT_OUTPUT), "
                    + "not 8MiB by default",
            ])
        let issue = try #require(Self.issues(commandLine: ["host": "0.0.0.0"]).first)
        #expect(issue.hasPrefix("auth must be on (off by default) when host is 0.0.0.0 from --host: "))
    }

    @Test("The first directory that has the profile's file gives it")
    func lookup() throws {
        let first = try TemporaryDirectory()
        let second = try TemporaryDirectory()
        try second.write("dev.yaml", "port: 1")
        let directories = [first.path, second.path]
        let found = try Self.load(commandLine: ["environment": "dev"], directories: directories)
        #expect(found.file == second.path + "/dev.yaml")
        #expect(found.port == 1)
        try first.write("dev.yaml", "# nothing set\n\n")
        let nearer = try Self.load(environment: ["FLAG_SERVER_ENVIRONMENT": "dev"], directories: directories)
        #expect(nearer.file == first.path + "/dev.yaml")
        #expect(nearer.port == 3001)
    }

    @Test("A file named with --config may choose the profile; one found by the profile's name may not contradict it")
    func profileInFile() throws {
        let directory = try TemporaryDirectory()
        try directory.write("local.yaml", "environment: prod")
        let path = directory.path + "/local.yaml"
        #expect(try Self.load(commandLine: ["config": path]).profile == .prod)
        #expect(try Self.load(environment: ["FLAG_SERVER_CONFIG": path]).auth == .on)
        #expect(
            Self.issues(directories: [directory.path]) == [
                "\(path): profile must be local: the file is found by that name"
            ])
    }

    @Test("The profile is also read by its former key, environment, and by the name of its environment, with a notice")
    func profileByOtherNames() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("any.yaml", "environment: staging")
        let cases: [([String: String], [String: String], Profile, [String])] = [
            (["profile": "prod"], [:], .prod, []), (["environment": "prod"], [:], .prod, []),
            (["environment": "dev"], ["FLAG_SERVER_PROFILE": "prod"], .dev, []),
            ([:], ["FLAG_SERVER_ENVIRONMENT": "dev"], .dev, []),
            ([:], ["FLAG_SERVER_ENVIRONMENT": "dev", "FLAG_SERVER_PROFILE": "prod"], .prod, []),
            (["profile": "production"], [:], .prod, ["the profile is given as production, that is prod"]),
            (["config": path], [:], .dev, ["the profile is given as staging, that is dev"]),
            (["config": path, "profile": "prod"], [:], .prod, []),
        ]
        for (commandLine, environment, profile, notices) in cases {
            let configuration = try Self.load(commandLine: commandLine, environment: environment)
            #expect(configuration.profile == profile, "\(commandLine) \(environment)")
            #expect(configuration.notices == notices, "\(commandLine) \(environment)")
        }
    }

    @Test("Data lies where --data-dir says, else in systemd's state directory, else under data/")
    func dataDirectory() throws {
        let systemd = ["STATE_DIRECTORY": "/var/lib/flag-server:/var/lib/other"]
        #expect(try Self.load(commandLine: ["environment": "prod"]).dataDirectory == "data/prod")
        #expect(try Self.load(environment: systemd).dataDirectory == "/var/lib/flag-server")
        #expect(try Self.load(commandLine: ["data-dir": "/d"], environment: systemd).dataDirectory == "/d")
    }

    @Test(
        "A wrong value is an error that names its place and what is allowed",
        arguments: [
            ("port", "99999", "must be a whole number from 0 to 65535, not \"99999\""),
            ("port", "+80", "must be a whole number from 0 to 65535, not \"+80\""),
            ("log.level", "loud", "must be trace, debug, info, notice, warning, error or critical, not \"loud\""),
            ("log.format", "xml", "must be json or text, not \"xml\""),
            ("store", "dynamodb", "must be sqlite or memory (dynamodb is not built yet), not \"dynamodb\""),
            (
                "trusted-proxies", "10.0.0.0/33",
                "must be addresses, networks such as 10.0.0.0/8 and the word unix, with commas between, "
                    + "not \"10.0.0.0/33\""
            ),
            ("loops", "0", "must be auto (one a core) or a whole number from 1 to 256, not \"0\""),
            ("evaluation.fractional", "v4", "must be v3 or v2, not \"v4\""),
            ("cache.ttl", "60", "must be a time from 1s to 24h, such as 30s, not \"60\""),
            ("limits.body", "2GiB", "must be a size from 1KiB to 64MiB, such as 64KiB, not \"2GiB\""),
            (
                "cors.origins", "https://shop.example.com/",
                "must be origins such as https://shop.example.com or http://localhost:5173, with commas between, or "
                    + "*: a scheme and a host, the port where it is not 80 or 443, no path and no slash at the end, "
                    + "not \"https://shop.example.com/\""
            ),
            ("auth", "maybe", "must be on or off, not \"maybe\""),
        ])
    func wrongValues(key: String, value: String, message: String) throws {
        let variable = "FLAG_SERVER_" + key.uppercased().replacing(".", with: "_").replacing("-", with: "_")
        #expect(Self.issues(environment: [variable: value]) == ["\(variable) \(message)"])

        let directory = try TemporaryDirectory()
        let parts = key.split(separator: ".")
        try directory.write(
            "local.yaml", parts.count == 1 ? "\(key): \(value)\n" : "\(parts[0]):\n  \(parts[1]): \(value)\n")
        #expect(Self.issues(directories: [directory.path]) == ["\(directory.path)/local.yaml: \(key) \(message)"])
    }

    @Test(
        "An unknown setting in a file is an error that says what was probably meant",
        arguments: [
            ("prot: 1", "prot is no setting; did you mean port?"),
            ("log:\n  levle: info", "log.levle is no setting; did you mean log.level?"),
            ("server:\n  port: 1", "server.port is no setting; did you mean port?"),
            (
                "log: debug",
                "log takes no value itself: beneath it stand level, levels.administration, levels.audit, "
                    + "levels.dynamodb, levels.evaluation, levels.keys, levels.schedules, levels.store, access, format"
            ),
            ("port:\n  number: 1", "port.number is no setting: port takes a single value"),
            ("port: [1, 2]", "port must be a whole number from 0 to 65535, not a list"),
            ("port:", "port must be a whole number from 0 to 65535, not \"\""),
        ])
    func unknownInFile(text: String, message: String) throws {
        let directory = try TemporaryDirectory()
        try directory.write("local.yaml", text)
        #expect(Self.issues(directories: [directory.path]) == ["\(directory.path)/local.yaml: \(message)"])
    }

    @Test("A section with everything beneath it commented out sets nothing")
    func emptySection() throws {
        let directory = try TemporaryDirectory()
        try directory.write("local.yaml", "log:\n  # level: debug\nport: 5\n")
        #expect(try Self.load(directories: [directory.path]).port == 5)
    }

    @Test("An unknown FLAG_SERVER_ variable is an error that says what was probably meant")
    func unknownVariable() {
        #expect(
            Self.issues(environment: ["FLAG_SERVER_PROT": "1", "FLAG_SERVER_LOG_LEVEL": "info"]) == [
                "FLAG_SERVER_PROT is no setting; did you mean FLAG_SERVER_PORT?"
            ])
    }

    @Test("All mistakes are told at once")
    func allAtOnce() throws {
        let directory = try TemporaryDirectory()
        try directory.write("local.yaml", "colour: red\nport: x\n")
        let issues = Self.issues(
            commandLine: ["loops": "many"], environment: ["FLAG_SERVER_AUTH": "no"], directories: [directory.path])
        #expect(issues.count == 4)
    }

    @Test(
        "A file that is no YAML mapping is an error with the place of the mistake",
        arguments: [("port: [1\nhost: x", "line"), ("- a\n- b", "mapping"), ("port: 1\nport: 2", "port")])
    func brokenFiles(text: String, part: String) throws {
        let directory = try TemporaryDirectory()
        try directory.write("local.yaml", text)
        let issues = Self.issues(directories: [directory.path])
        #expect(issues.count == 1)
        let issue = try #require(issues.first)
        #expect(issue.hasPrefix("\(directory.path)/local.yaml: cannot be read as YAML: "))
        #expect(issue.contains(part))
        #expect(!issue.contains("\n"))
    }

    @Test("A file that --config names must be there")
    func missingFile() {
        #expect(
            Self.issues(commandLine: ["config": "/nowhere/x.yaml"])
                == ["/nowhere/x.yaml: the configuration file does not exist"])
    }

    @Test(
        "Auth may be off on loopback addresses only",
        arguments: [
            ("127.0.0.1", true), ("127.9.9.9", true), ("::1", true), ("localhost", true), ("0.0.0.0", false),
            ("10.0.0.1", false), ("::", false), ("127.0.0.1.example.com", false), ("127.1", false),
        ])
    func authOff(host: String, allowed: Bool) {
        let issues = Self.issues(commandLine: ["host": host, "auth": "off"])
        #expect(issues.isEmpty == allowed)
        #expect(Self.issues(commandLine: ["host": host, "auth": "on"]).isEmpty)
    }
}
