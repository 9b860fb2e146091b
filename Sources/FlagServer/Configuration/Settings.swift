import Access
import ChangeControl
import FlagCore
import FlagStore
import HTTPRouting
import HTTPTransport
import JSON
import Logging

extension Settings {
    /// The keys of the settings that can be exchanged while the server serves.
    static let exchangedWhileServing: Set<String> = Set(
        [
            throttleAdministration.key, throttleEvaluations.key, corsOrigins.key, metricsAllow.key, logLevel.key,
            logAccess.key, freeze.key,
        ] + approvals.map(\.1.key) + logLevels.map(\.1.key))
}

/// Every setting there is. The keys are also what the shipped files under `config/` are written in.
enum Settings {
    static let profile = Setting<Profile>(
        key: "profile", otherKey: "environment", allowed: "local, dev or prod"
    ) { Profile(spelling: $0) }
    static let file = Setting<String>.text("config", "the path of a YAML file")

    static let host = Setting<String>.text("host", "addresses to listen on, such as 127.0.0.1 or ::1, unix:/run/x.sock")
    static let port = Setting<Int>.number("port", 0...65_535)
    static let trustedProxies = Setting<[AddressRange]>(key: "trusted-proxies", allowed: ranges, parse: readRanges)
    static let hosts = Setting<[String]>(key: "hosts", allowed: "names of hosts, with commas between") { text in
        let names = text.split(separator: ",").map { $0.filter { $0 != " " } }
        return names.allSatisfy { !$0.isEmpty && !$0.contains("/") && !$0.contains(":") } ? names : nil
    }
    static let loops = Setting<ServerConfiguration.Loops>(
        key: "loops", allowed: "auto (one a core) or a whole number from 1 to 256"
    ) { text in
        if text == "auto" { return .cores }
        return Units.number(text).flatMap { (1...256).contains($0) ? .exactly($0) : nil }
    }

    static let store = Setting<ServerConfiguration.Store>(
        key: "store", allowed: "sqlite or memory (dynamodb is not built yet)"
    ) { ServerConfiguration.Store(rawValue: $0) }
    static let dataDirectory = Setting<String>.text("data-dir", "the path of a directory")
    static let atRestKey = Setting<String>.text("at-rest.key", "the path of a file with a key")
    static let atRestFormerKey = Setting<String>.text("at-rest.former-key", "the path of a file with a key")
    static let sampleFlags = Setting<String>.text("sample-flags", "the path of a file with flags")

    static let auth = Setting<ServerConfiguration.Authentication>.word("auth").alsoRead(as: "auth.mode")

    static let throttleAdministration = rate("administration")
    static let throttleEvaluations = rate("evaluations")

    static let tokenIssuers = Setting<String>.text("tokens.issuers", "the path of a JSON file")
        .alsoRead(as: "auth.issuers")

    static let approvals: [(Environment, Setting<Int>)] = [
        (.development, .number("approvals.development", FlagApprovals.range)),
        (.staging, .number("approvals.staging", FlagApprovals.range)),
        (.production, .number("approvals.production", FlagApprovals.range)),
    ]
    static let freeze = Setting<[FreezeDraft]>(
        key: "freeze",
        allowed: "a list of freezes, each with environment, from and to (RFC 3339 times with an offset, at most 366 "
            + "days apart) and reason"
    ) { text in
        guard let list = (try? JSONValue(parsing: text))?.arrayValue else { return nil }
        let freezes = list.compactMap { try? FreezeDraft(json: $0, at: nil) }
        return freezes.count == list.count ? freezes : nil
    }

    static let corsOrigins = Setting<[String]>(
        key: "cors.origins",
        allowed: "origins such as https://shop.example.com or http://localhost:5173, with commas between, or *: a "
            + "scheme and a host, the port where it is not 80 or 443, no path and no slash at the end"
    ) { text in
        let parts = text.split(separator: ",", omittingEmptySubsequences: false).map { $0.split(separator: " ") }
        let origins = parts.compactMap { $0.count == 1 ? String($0[0]) : nil }
        let isWhole = origins.count == parts.count && origins.allSatisfy { PageOrigins.complaint(about: $0) == nil }
        return isWhole ? origins : nil
    }

    static let auditRetention = Setting<Int>(key: "audit.retention", allowed: "days from 1d to 3650d, such as 90d") {
        $0.hasSuffix("d") ? Units.number(String($0.dropLast())).flatMap { (1...3650).contains($0) ? $0 : nil } : nil
    }
    static let auditReasons = Setting<Set<Environment>>(
        key: "audit.require-reason", allowed: "names of environments, with commas between", takesList: true
    ) { text in
        let names = text.split(separator: ",").map { $0.filter { $0 != " " } }
        let environments = names.compactMap { Environment(spelling: $0) }
        return environments.count == names.count ? Set(environments) : nil
    }
    static let auditShip = Setting<AuditDestination>(
        key: "audit.ship", allowed: "the path of a file, or an https:// URL"
    ) { AuditDestination($0) }

    static let metricsAllow = Setting<[AddressRange]>(key: "metrics.allow", allowed: ranges, parse: readRanges)

    static let dynamodbPort = Setting<Int>.number("dynamodb-port", 0...65_535)
    static let dynamodbBody = Setting<Int>.size("dynamodb.body", 1024...(64 << 20))
    static let dynamodbIdle = Setting<Duration>.time("dynamodb.idle", .milliseconds(100)...(.seconds(3600)))
    static let dynamodbHandler = Setting<Duration>.time("dynamodb.handler", .milliseconds(100)...(.seconds(3600)))
    static let dynamodbRequest = Setting<Duration>.time("dynamodb.request", .milliseconds(100)...(.seconds(3600)))
    static let dynamodbTLS = Setting<ServerConfiguration.DynamoDB.Security>.word("dynamodb.tls")

    static let logLevel = Setting<Logger.Level>.word("log.level")
    static let logLevels: [(LogModule, Setting<Logger.Level>)] = [
        (.administration, .word("log.levels.administration")),
        (.audit, .word("log.levels.audit")),
        (.dynamodb, .word("log.levels.dynamodb")),
        (.evaluation, .word("log.levels.evaluation")),
        (.keys, .word("log.levels.keys")),
        (.schedules, .word("log.levels.schedules")),
        (.store, .word("log.levels.store")),
    ]
    static let logAccess = Setting<AccessLog.Scope>(
        key: "log.access", allowed: "off, errors (status 400 and above), all, or 1/N for one of N, such as 1/100"
    ) { text in
        switch text {
        case "off": return .off
        case "errors": return .errors
        case "all": return .all
        default:
            guard text.hasPrefix("1/"), let count = Units.number(String(text.dropFirst(2))) else { return nil }
            return (2...1_000_000).contains(count) ? .sample(of: count) : nil
        }
    }
    static let logFormat = Setting<ServerConfiguration.Log.Format>.word("log.format")

    static let fractional = Setting<FractionalVersion>(key: "evaluation.fractional", allowed: "v3 or v2") {
        FractionalVersion(rawValue: $0)
    }

    static let cacheTimeToLive = Setting<Duration>.time("cache.ttl", .seconds(1)...(.seconds(86_400)))
    static let cacheCapacity = Setting<Int>.number("cache.capacity", 1...1_000_000)

    static let streamRetention = Setting<Duration>.time("stream.retention", .seconds(60)...(.seconds(366 * 86_400)))
    static let streamMaximum = Setting<Int>.size("stream.maximum", 0...(1 << 50))

    static let historyVersions = Setting<Int>.number("history.versions", 10...10_000)
    static let scheduleLate = Setting<Duration>.time("schedules.late", .zero...(.seconds(366 * 86_400)))

    static let connections = Setting<Int>.number("limits.connections", 1...1_000_000)
    static let requestLine = Setting<Int>.size("limits.request-line", 256...(64 << 10))
    static let headerFields = Setting<Int>.number("limits.header-fields", 1...1000)
    static let headerBytes = Setting<Int>.size("limits.header-bytes", 1024...(1 << 20))
    static let body = Setting<Int>.size("limits.body", 1024...(64 << 20))
    static let connectionsPerAddress = Setting<Int>.number("limits.connections-per-address", 0...1_000_000)
    static let refusedConnections = Setting<Int>.number("limits.refused-connections", 0...100_000)
    static let bodyRate = Setting<Int>.size("limits.body-rate", 0...(1 << 30))
    static let chunkLine = Setting<Int>.size("limits.chunk-line", 16...(64 << 10))
    static let pendingOutput = Setting<Int>.size("limits.pending-output", 1024...(1 << 30))
    static let context = Setting<Int>.size("limits.context", 1024...(64 << 20))
    static let contextText = Setting<Int>.size("limits.context-text", 256...(64 << 20))
    static let keptOutput = Setting<Int>.size("limits.kept-output", (64 << 10)...(64 << 30))
    static let keptInput = Setting<Int>.size("limits.kept-input", (64 << 10)...(64 << 30))
    static let outputRate = Setting<Int>.size("limits.output-rate", 0...(1 << 30))
    static let bulkResponse = Setting<Int>.size("limits.bulk-answer", (64 << 10)...(1 << 30))
    static let lingerBytes = Setting<Int>.size("limits.linger", 0...(1 << 30))

    static let tlsCertificate = Setting<String>.text("tls.certificate", "the path of a PEM file")
    static let tlsKey = Setting<String>.text("tls.key", "the path of a PEM file")
    static let tlsTermination = Setting<ServerConfiguration.TLSTermination>(
        key: "tls.terminated-by", otherKey: "tls",
        allowed: "here, or proxy where a proxy in front of the server does it"
    ) { text in
        // `tls:` with nothing below it but comments.
        text.isEmpty ? .here : ServerConfiguration.TLSTermination(rawValue: text)
    }
    static let tlsMinimum = Setting<TLSConfiguration.Version>.word("tls.minimum-version")

    static let gzipMinimum = Setting<Int>.size("gzip.minimum", 0...(1 << 30))
    static let gzipMaximum = Setting<Int>.size("gzip.maximum", 0...(1 << 30))
    static let gzipLevel = Setting<Int>.number("gzip.level", 1...9)

    static let headTimeout = timeout("head")
    static let bodyTimeout = timeout("body")
    static let requestTimeout = timeout("request")
    static let handlerTimeout = timeout("handler")
    static let idleTimeout = timeout("idle")
    static let writeTimeout = timeout("write")
    static let drainTimeout = timeout("drain")
    static let lingerTimeout = timeout("linger")
    static let rateGrace = Setting<Duration>.time("timeouts.rate-grace", .zero...(.seconds(3600)))
    static let lag = Setting<Duration>.time("timeouts.lag", .zero...(.seconds(3600)))

    private static let ranges = "addresses, networks such as 10.0.0.0/8 and the word unix, with commas between"

    @Sendable
    private static func readRanges(_ text: String) -> [AddressRange]? {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        let ranges = parts.compactMap { AddressRange($0.filter { $0 != " " }) }
        return ranges.count == parts.count ? ranges : nil
    }

    private static func rate(_ name: String) -> Setting<ServerConfiguration.Throttle.Bound> {
        Setting(key: "throttle.\(name)", allowed: "off, or \(RequestRate.expectation)") { text in
            text == "off" ? .off : RequestRate(text).map { .rate($0) }
        }
    }

    private static func timeout(_ name: String) -> Setting<Duration> {
        .time("timeouts.\(name)", .milliseconds(100)...(.seconds(3600)))
    }
}
