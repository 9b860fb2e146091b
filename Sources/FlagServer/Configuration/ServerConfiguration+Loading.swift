import Access
import ChangeControl
import Evaluation
import FlagCache
import FlagCore
import FlagStore
import Glibc
import HTTPRouting
import HTTPTransport
import Logging
import Platform

extension ServerConfiguration {
    /// What holds for `profile` when nobody sets anything. The files shipped under `config/` say the same.
    ///
    /// - Parameter stateDirectory: What systemd hands over in `STATE_DIRECTORY` (systemd.exec(5)), the default place
    ///   for data.
    static func defaults(for profile: Profile, stateDirectory: String? = nil) -> ServerConfiguration {
        let isLocal = profile == .local
        return ServerConfiguration(
            profile: profile,
            dataDirectory: stateDirectory ?? "data/\(profile.rawValue)",
            auth: isLocal ? .off : .on,
            throttle: Throttle(evaluations: isLocal ? .off : .rate(RequestRate(requests: 10_000, seconds: 1))),
            log: Log(format: isLocal ? .text : .json),
            cache: profile.cacheLimits)
    }

    /// Puts together what the command line, the environment, the file and the defaults say.
    ///
    /// - Parameters:
    ///   - commandLine: What was given as options, by the key of the setting.
    ///   - environment: The process's environment.
    ///   - directories: Where the profile's file is looked for.
    /// - Throws: All mistakes at once.
    static func load(
        commandLine: [String: String],
        environment: [String: String],
        directories: [String] = ["config", "/etc/flag-server"]
    ) throws(ConfigurationError) -> ServerConfiguration {
        try read(commandLine: commandLine, environment: environment, directories: directories).0
    }

    /// The same with what was written for each setting that was set, by its key.
    static func read(
        commandLine: [String: String],
        environment: [String: String],
        directories: [String] = ["config", "/etc/flag-server"]
    ) throws(ConfigurationError) -> (ServerConfiguration, written: [String: String]) {
        var reader = SettingReader(commandLine: commandLine, environment: environment)
        let requested = reader.value(of: Settings.file, inFile: false)
        let profile = reader.value(of: Settings.profile, inFile: false)
        // A wrong profile would only find a wrong file.
        guard reader.issues.isEmpty else { throw ConfigurationError(issues: reader.issues) }
        reader.file = try ConfigurationFile.find(
            requested: requested, profile: (profile ?? .local).rawValue, directories: directories)

        let inFile = reader.value(of: Settings.profile) ?? .local
        if requested == nil, let path = reader.file?.path, inFile != profile ?? .local {
            reader.report(
                "\(path): profile must be \((profile ?? .local).rawValue): the file is found by that name")
        }
        let stateDirectory = ServiceDirectory.state.path(in: environment)
        var configuration = defaults(for: inFile, stateDirectory: stateDirectory)
        configuration.file = reader.file?.path
        if let text = reader.text(of: Settings.profile), text != inFile.rawValue {
            configuration.notices.append("the profile is given as \(text), that is \(inFile.rawValue)")
        }
        configuration.readGeneral(from: &reader)
        configuration.readBounds(from: &reader)
        configuration.readTLS(from: &reader)
        configuration.check(&reader)
        if configuration.auth == .off, configuration.corsOrigins.contains("*") {
            configuration.notices.append(
                "cors.origins: * lets in pages that show a client key, and while auth is off nobody shows any")
        }
        reader.reportUnknown()
        guard reader.issues.isEmpty else { throw ConfigurationError(issues: reader.issues) }
        return (configuration, reader.texts)
    }

    private mutating func readGeneral(from reader: inout SettingReader) {
        host.set(reader.value(of: Settings.host).map(Self.withoutBrackets))
        port.set(reader.value(of: Settings.port))
        hosts.set(reader.value(of: Settings.hosts))
        trustedProxies.set(reader.value(of: Settings.trustedProxies))
        loops.set(reader.value(of: Settings.loops))
        store.set(reader.value(of: Settings.store))
        dataDirectory.set(reader.value(of: Settings.dataDirectory))
        atRestKey = reader.value(of: Settings.atRestKey)
        atRestFormerKey = reader.value(of: Settings.atRestFormerKey)
        sampleFlags = reader.value(of: Settings.sampleFlags)
        auth.set(reader.value(of: Settings.auth))
        throttle.administration.set(reader.value(of: Settings.throttleAdministration))
        throttle.evaluations.set(reader.value(of: Settings.throttleEvaluations))
        for (environment, setting) in Settings.approvals {
            changes.approvals[environment] = reader.value(of: setting).flatMap { $0 > 0 ? $0 : nil }
        }
        changes.freezes.set(reader.value(of: Settings.freeze))
        tokenIssuers = reader.value(of: Settings.tokenIssuers)
        corsOrigins.set(reader.value(of: Settings.corsOrigins))
        metricsReaders.set(reader.value(of: Settings.metricsAllow))
        audit.retentionDays.set(reader.value(of: Settings.auditRetention))
        audit.reasonRequired.set(reader.value(of: Settings.auditReasons))
        audit.destination = reader.value(of: Settings.auditShip)
        dynamodbPort = reader.value(of: Settings.dynamodbPort)
        dynamodb.bodyBytes.set(reader.value(of: Settings.dynamodbBody))
        dynamodb.idle.set(reader.value(of: Settings.dynamodbIdle))
        dynamodb.handler.set(reader.value(of: Settings.dynamodbHandler))
        dynamodb.request.set(reader.value(of: Settings.dynamodbRequest))
        dynamodb.tls.set(reader.value(of: Settings.dynamodbTLS))
        log.level.set(reader.value(of: Settings.logLevel))
        for (module, setting) in Settings.logLevels { log.moduleLevels[module] = reader.value(of: setting) }
        log.access.set(reader.value(of: Settings.logAccess))
        log.format.set(reader.value(of: Settings.logFormat))
        evaluation.fractional.set(reader.value(of: Settings.fractional))
        cache.timeToLiveMilliseconds.set(reader.value(of: Settings.cacheTimeToLive).map { Int64($0.milliseconds) })
        cache.capacity.set(reader.value(of: Settings.cacheCapacity))
        stream.retention.set(reader.value(of: Settings.streamRetention))
        stream.maximumBytes.set(reader.value(of: Settings.streamMaximum))
        history.versions.set(reader.value(of: Settings.historyVersions))
        scheduleLate.set(reader.value(of: Settings.scheduleLate))
    }

    private mutating func readTLS(from reader: inout SettingReader) {
        let certificate = reader.value(of: Settings.tlsCertificate)
        let key = reader.value(of: Settings.tlsKey)
        let minimum = reader.value(of: Settings.tlsMinimum)
        tlsTermination.set(reader.value(of: Settings.tlsTermination))
        if let certificate, let key {
            var tls = TLSConfiguration(certificateFile: certificate, keyFile: key)
            tls.minimumVersion.set(minimum)
            self.tls = tls
        } else if certificate != nil || key != nil {
            reader.report("tls.certificate and tls.key go together: one is not set")
        }
    }

    private mutating func readBounds(from reader: inout SettingReader) {
        limits.connections.set(reader.value(of: Settings.connections))
        limits.requestLineBytes.set(reader.value(of: Settings.requestLine))
        limits.fieldCount.set(reader.value(of: Settings.headerFields))
        limits.fieldBytes.set(reader.value(of: Settings.headerBytes))
        limits.bodyBytes.set(reader.value(of: Settings.body))
        limits.connectionsPerAddress.set(reader.value(of: Settings.connectionsPerAddress))
        limits.refusedConnections.set(reader.value(of: Settings.refusedConnections))
        limits.bodyRate.set(reader.value(of: Settings.bodyRate))
        limits.chunkLineBytes.set(reader.value(of: Settings.chunkLine))
        limits.pendingOutputBytes.set(reader.value(of: Settings.pendingOutput))
        limits.keptOutputBytes.set(reader.value(of: Settings.keptOutput))
        limits.keptInputBytes.set(reader.value(of: Settings.keptInput))
        limits.outputRate.set(reader.value(of: Settings.outputRate))
        bulkResponseBytes.set(reader.value(of: Settings.bulkResponse))
        limits.lingerBytes.set(reader.value(of: Settings.lingerBytes))
        contextLimits.bytes.set(reader.value(of: Settings.context))
        contextLimits.textBytes.set(reader.value(of: Settings.contextText))
        compression.minimumBytes.set(reader.value(of: Settings.gzipMinimum))
        compression.maximumBytes.set(reader.value(of: Settings.gzipMaximum))
        compression.level.set(reader.value(of: Settings.gzipLevel))
        timeouts.head.set(reader.value(of: Settings.headTimeout))
        timeouts.body.set(reader.value(of: Settings.bodyTimeout))
        timeouts.request.set(reader.value(of: Settings.requestTimeout))
        timeouts.handler.set(reader.value(of: Settings.handlerTimeout))
        timeouts.idle.set(reader.value(of: Settings.idleTimeout))
        timeouts.write.set(reader.value(of: Settings.writeTimeout))
        timeouts.linger.set(reader.value(of: Settings.lingerTimeout))
        timeouts.rateGrace.set(reader.value(of: Settings.rateGrace))
        timeouts.lag.set(reader.value(of: Settings.lag))
        drainTimeout.set(reader.value(of: Settings.drainTimeout))
    }

    /// How settings bound each other.
    private func check(_ reader: inout SettingReader) {
        if auth == .off, !Self.isLoopback(host) {
            reader.report(
                "auth must be on (\(reader.origin(of: Settings.auth, "off"))) when host is "
                    + "\(reader.origin(of: Settings.host, host)): it may be off on loopback addresses only "
                    + "(127.0.0.1, ::1, localhost)")
        }
        if auth == .off {
            for (environment, setting) in Settings.approvals {
                guard let count = changes.approvals[environment] else { continue }
                reader.report(
                    "\(setting.key) must be 0 (\(reader.origin(of: setting, "\(count)"))) while auth is off: nobody is "
                        + "asked who they are, so nobody could be told from the author of a change")
            }
        }
        if profile == .prod { checkProduction(&reader) }
        checkMemory(&reader)
        if dynamodb.tls == .on, tls == nil {
            reader.report(
                "dynamodb.tls (\(reader.origin(of: Settings.dynamodbTLS, "on"))) takes the certificate of "
                    + "tls.certificate and tls.key: they are not set")
        }
        if dynamodb.handler > dynamodb.request {
            reader.report("dynamodb.handler must be at most dynamodb.request: it is a part of it")
        }
        let parts = [
            (Settings.headTimeout, timeouts.head), (Settings.bodyTimeout, timeouts.body),
            (Settings.handlerTimeout, timeouts.handler),
        ]
        for (setting, part) in parts where part > timeouts.request {
            let whole = reader.origin(of: Settings.requestTimeout, Units.time(timeouts.request))
            reader.report(
                "\(setting.key) must be at most \(Settings.requestTimeout.key) (\(whole)), "
                    + "not \(reader.origin(of: setting, Units.time(part))): it is a part of it")
        }
    }

    /// What a server that others depend on must not be like: keys and flags would pass for all to read on the way.
    private func checkProduction(_ reader: inout SettingReader) {
        guard !Self.isLoopback(host), tlsTermination == .here else { return }
        let place = reader.origin(of: Settings.host, host)
        if tls == nil {
            reader.report(
                "tls.certificate and tls.key must be set for the profile prod when host is \(place), which others can "
                    + "reach; where a proxy in front of the server terminates TLS, say so with tls: proxy")
        }
        if dynamodbPort != nil, dynamodb.tls == .off {
            reader.report(
                "dynamodb.tls must be on for the profile prod when host is \(place), which others can reach; where a "
                    + "proxy in front of the port terminates TLS, say so with tls: proxy")
        }
    }

    /// What one request or answer may have must fit what all of them may.
    private func checkMemory(_ reader: inout SettingReader) {
        for (part, bytes, whole, wholeBytes) in [
            (Settings.body, limits.bodyBytes, Settings.keptInput, limits.keptInputBytes),
            (
                Settings.dynamodbBody, dynamodbPort == nil ? 0 : dynamodb.bodyBytes, Settings.keptInput,
                limits.keptInputBytes
            ),
            (Settings.bulkResponse, bulkResponseBytes, Settings.keptOutput, limits.keptOutputBytes),
        ] where bytes > wholeBytes {
            reader.report(
                "\(part.key) must be at most \(whole.key) (\(reader.origin(of: whole, Units.size(wholeBytes)))), "
                    + "not \(reader.origin(of: part, Units.size(bytes)))")
        }
    }

    /// An IPv6 address as it stands in a URL, `[::1]` (RFC 3986 §3.2.2), without its brackets.
    private static func withoutBrackets(_ host: String) -> String {
        host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
    }

    /// Whether only this machine can reach every address of `host`: Unix sockets, 127.0.0.0/8 (RFC 1122 §3.2.1.3),
    /// `::1` (RFC 4291 §2.5.3), or the name that stands for them (RFC 6761 §6.3).
    static func isLoopback(_ host: String) -> Bool {
        host.split(separator: ",").allSatisfy { isLoopback(address: $0.filter { $0 != " " }) }
    }

    /// What requests may call the server by, beside addresses: the machine's own name, those that it listens on, and
    /// those that the operator gave.
    var servedHosts: ServedHosts {
        let listening = host.split(separator: ",").map { $0.filter { $0 != " " } }.filter { !$0.hasPrefix("unix:") }
        return ServedHosts(named: hosts + listening + Self.machineNames)
    }

    /// What the machine is called (gethostname(2)): the name as it is set, and its first part where that has more.
    private static let machineNames: [String] = {
        var bytes = [CChar](repeating: 0, count: 256)
        guard gethostname(&bytes, bytes.count - 1) == 0 else { return [] }
        let name = String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return name.isEmpty ? [] : Array(Set([name, String(name.prefix { $0 != "." })])).sorted()
    }()

    private static func isLoopback(address host: String) -> Bool {
        if host.hasPrefix("unix:") { return true }
        if host == "localhost" || host == "::1" || host == "[::1]" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil } && parts.first == "127"
    }
}

extension Equatable {
    /// Replaces the value when there is another one.
    fileprivate mutating func set(_ value: Self?) {
        if let value { self = value }
    }
}
