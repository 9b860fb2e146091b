import Administration
import FlagCore
import FlagFiles
import FlagStore
import HTTPTransport

extension ServerConfiguration {
    /// Reads what the settings name, as a start would, and nothing else: nothing is written and nothing listens.
    ///
    /// - Returns: one line for whoever asked.
    /// - Throws: `ConfigurationError` with everything that is wrong.
    func checked() throws(ConfigurationError) -> String {
        var issues: [String] = []
        if let tls {
            do throws(TransportError) { try TLSCertificates.check(tls) } catch { issues.append("\(error)") }
        }
        if let sampleFlags {
            do { _ = try ImportDocument(parsing: ServerConfiguration.sampleFile(sampleFlags)) } catch {
                let reason = (error as? DefinitionIssues).map { FlagTransfer.list($0.issues) } ?? "\(error)"
                issues.append("\(sampleFlags): \(reason)")
            }
        }
        guard issues.isEmpty else { throw ConfigurationError(issues: issues) }
        let data = store == .sqlite ? dataDirectory : "none"
        let source = file ?? "built-in defaults"
        return "ok: \(source), profile \(profile.rawValue), host \(host), port \(port), data \(data)"
    }

    /// The content of a file of sample flags.
    static func sampleFile(_ path: String) throws -> [UInt8] {
        try FileBytes.read(path, atMost: ControlDoor.uploadBytes)
    }
}
