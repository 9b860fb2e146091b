import Administration
import DynamoModel
import FlagCore
import FlagFiles
import FlagStore
import HTTPTransport
import TableEngine
import Tokens

extension ServerConfiguration {
    /// Reads what the settings name, as a start would, and nothing else: nothing is written and nothing listens.
    ///
    /// - Returns: one line for whoever asked.
    /// - Throws: `ConfigurationError` with everything that is wrong.
    ///
    /// - Parameter environment: the process's environment, for where secrets come from.
    func checked(environment: [String: String]) throws(ConfigurationError) -> String {
        var issues = profile == .prod ? exposedSecrets(environment: environment) : []
        if let tls {
            do throws(TransportError) { try TLSCertificates.check(tls) } catch { issues.append("\(error)") }
        }
        issues += atRestIssues(environment: environment)
        if let sampleFlags {
            do { _ = try ImportDocument(parsing: ServerConfiguration.sampleFile(sampleFlags)) } catch {
                let reason = (error as? DefinitionIssues).map { FlagTransfer.list($0.issues) } ?? "\(error)"
                issues.append("\(sampleFlags): \(reason)")
            }
        }
        if let tokenIssuers {
            do throws(IssuerFileFault) { try ServerConfiguration.checkIssuers(tokenIssuers) } catch {
                issues += error.issues.map { "\(tokenIssuers): \($0)" }
            }
        }
        guard issues.isEmpty else { throw ConfigurationError(issues: issues) }
        let data = store == .sqlite ? dataDirectory : "none"
        let source = file ?? "built-in defaults"
        return "ok: \(source), profile \(profile.rawValue), host \(host), port \(port), data \(data)"
    }

    /// What is wrong with the keys for what is stored: with their files, or because the data is encrypted by another
    /// one. Only looks.
    private func atRestIssues(environment: [String: String]) -> [String] {
        do throws(ConfigurationError) {
            let keys = try atRestKeyFiles(environment: environment).read()
            // What a server has open, it has opened by its keys.
            guard store == .sqlite, let held = try? InspectedDirectory(dataDirectory, for: "config check") else {
                return []
            }
            defer { withExtendedLifetime(held) {} }
            do throws(TableError) { try SQLiteTableStore.checkKeys(in: held.path, keys) } catch { return ["\(error)"] }
            return []
        } catch {
            return error.issues
        }
    }

    /// Files with secrets that others than the server can read, one line each with what to do: the key of the
    /// certificate, and the key by which secrets are kept. Only looks.
    ///
    /// - Parameter environment: the process's environment, for where secrets come from.
    func exposedSecrets(environment: [String: String]) -> [String] {
        let accessKey = AccessKeyFile(
            directory: store == .sqlite ? dataDirectory : nil, environment: environment)
        return [tls?.exposure, accessKey.exposure].compactMap { $0 }
    }

    /// The issuers that a file lists.
    static func issuers(_ path: String) throws(IssuerFileFault) -> [OutsideIssuer.Settings] {
        let content: [UInt8]
        do throws(FileError) { content = try FileBytes.read(path, atMost: 1 << 20) } catch {
            throw IssuerFileFault(issues: ["\(error)"])
        }
        return try OutsideIssuer.Settings.list(content)
    }

    /// Reads a file of issuers, and those of their keys that are files.
    private static func checkIssuers(_ path: String) throws(IssuerFileFault) {
        var issues: [String] = []
        for (index, issuer) in try issuers(path).enumerated() where !issuer.keys.contains("://") {
            do {
                let set = try FileBytes.read(issuer.keys, atMost: 1 << 20)
                _ = try VerificationKeys.reading(set, for: issuer.algorithms)
            } catch {
                issues.append("/issuers/\(index)/keys: \((error as? KeySetFault)?.reason ?? "\(error)")")
            }
        }
        guard issues.isEmpty else { throw IssuerFileFault(issues: issues) }
    }

    /// The content of a file of sample flags.
    static func sampleFile(_ path: String) throws -> [UInt8] {
        try FileBytes.read(path, atMost: ControlDoor.uploadBytes)
    }
}
