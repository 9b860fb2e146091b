import ArgumentParser

/// The options of `serve`. Each is read as text here and checked with the other sources of settings, so that a mistake
/// reads the same wherever it is made.
struct ServeOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The profile: local, dev or prod. (default: local)", valueName: "profile"))
    var profile: String?

    @Option(help: ArgumentHelp("Another name of --profile.", valueName: "profile"))
    var environment: String?

    @Option(
        help: ArgumentHelp(
            "A YAML file with settings. (default: config/PROFILE.yaml, else /etc/flag-server/PROFILE.yaml)",
            valueName: "file"))
    var config: String?

    @Option(
        help: ArgumentHelp(
            "Addresses to listen on, with commas; a path behind unix:. (default: 127.0.0.1)", valueName: "list"))
    var host: String?

    @Option(help: ArgumentHelp("The port to listen on; 0 takes a free one. (default: 3001)", valueName: "port"))
    var port: String?

    @Option(
        help: ArgumentHelp(
            "Proxies whose Forwarded and X-Forwarded-For count: addresses, networks such as 10.0.0.0/8, or unix. "
                + "(default: none)",
            valueName: "list"))
    var trustedProxies: String?

    @Option(
        help: ArgumentHelp(
            "Where everything the server writes is kept. (default: $STATE_DIRECTORY, else data/PROFILE)",
            valueName: "directory"))
    var dataDir: String?

    @Option(
        help: ArgumentHelp(
            "sqlite keeps flags in the data directory, memory forgets them at the stop. (default: sqlite)",
            valueName: "sqlite|memory"))
    var store: String?

    @Option(
        help: ArgumentHelp(
            "Whether requests need a key; off only on loopback addresses. (default: off for local, else on)",
            valueName: "on|off"))
    var auth: String?

    @Option(help: ArgumentHelp("How many event loops serve connections. (default: auto, one a core)", valueName: "n"))
    var loops: String?

    @Option(help: ArgumentHelp("Flags to load when the store is empty.", valueName: "file"))
    var sampleFlags: String?

    @Option(
        help: ArgumentHelp(
            "trace, debug, info, notice, warning, error or critical. (default: info)", valueName: "level"))
    var logLevel: String?

    @Option(
        help: ArgumentHelp("How log lines look. (default: text for local, else json)", valueName: "json|text"))
    var logFormat: String?

    @Option(
        help: ArgumentHelp(
            "A PEM file with a certificate and those of its issuers: connections over TCP are secured with TLS.",
            valueName: "file"))
    var tlsCertificate: String?

    @Option(
        help: ArgumentHelp("A PEM file with the certificate's private key; SIGHUP reads both again.", valueName: "file")
    )
    var tlsKey: String?

    @Option(
        help: ArgumentHelp(
            "The port for DynamoDB's protocol, over the same tables; 0 takes a free one. Open only with --auth off. "
                + "(default: closed)",
            valueName: "port"))
    var dynamodbPort: String?

    func validate() throws {
        guard profile == nil || environment == nil || profile == environment else {
            throw ValidationError("--environment is another name of --profile: give one of them.")
        }
    }

    /// What was given, by the key of the setting.
    var settings: [String: String] {
        let given: [String: String?] = [
            Settings.profile.key: profile, Settings.profile.otherKey ?? "": environment,
            Settings.file.key: config, Settings.host.key: host,
            Settings.port.key: port, Settings.dataDirectory.key: dataDir, Settings.store.key: store,
            Settings.trustedProxies.key: trustedProxies,
            Settings.auth.key: auth, Settings.loops.key: loops,
            Settings.sampleFlags.key: sampleFlags,
            Settings.tlsCertificate.key: tlsCertificate, Settings.tlsKey.key: tlsKey,
            Settings.logLevel.key: logLevel, Settings.logFormat.key: logFormat, Settings.dynamodbPort.key: dynamodbPort,
        ]
        return given.compactMapValues { $0 }
    }
}
