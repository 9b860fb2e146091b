import Bytes
import Glibc
import Platform
import TableEngine

/// The files of the operator's keys for what is stored: those that the settings name, else the credentials
/// `at-rest.key` and `at-rest.former-key` that systemd hands over (systemd.exec(5), `LoadCredential=`).
struct AtRestKeyFiles: Sendable, Equatable {
    /// The file of the key that holds; nil where none is set.
    var key: String?
    /// The file of the key that held before; nil where none is set.
    var formerKey: String?
    /// The process's environment.
    var environment: [String: String] = [:]

    /// What is written into a file of a key that has no more than that.
    static let form =
        "32 random bytes (head -c 32 /dev/urandom), or the same as 64 hexadecimal digits (openssl rand -hex 32) or in "
        + "Base64 (openssl rand -base64 32)"

    /// Reads the keys; none where there are no files.
    ///
    /// - Throws: what is wrong with one, and what to do.
    func read() throws(ConfigurationError) -> AtRestKeys {
        AtRestKeys(
            current: try read(key, Settings.atRestKey.key), former: try read(formerKey, Settings.atRestFormerKey.key))
    }

    /// What an operator should know of where a key lies; nil when nothing is the matter.
    ///
    /// - Parameter directory: the data directory.
    func notice(directory: String) -> String? {
        guard let data = try? DataDirectory.resolve(directory) else { return nil }
        for path in [key, formerKey].compactMap(\.self) {
            guard let path = try? DataDirectory.resolve(path), path.hasPrefix("\(data)/") else { continue }
            return "\(path) lies in the data directory: whoever takes that has the key to what is encrypted in it; "
                + "keep it elsewhere, and elsewhere than its copies"
        }
        return nil
    }

    private func read(_ setting: String?, _ name: String) throws(ConfigurationError) -> AtRestKey? {
        if let setting { return try key(in: setting, name, hiddenFrom: 0o077, "600") }
        guard let credentials = environment["CREDENTIALS_DIRECTORY"] else { return nil }
        let path = "\(credentials)/\(name)"
        guard access(path, F_OK) == 0 else { return nil }
        // Shown to the unit by an access list, whose mask stands in place of the group's permissions.
        return try key(in: path, name, hiddenFrom: 0o007, "o-rwx")
    }

    private func key(
        in path: String, _ name: String, hiddenFrom mask: UInt32, _ mode: String
    ) throws(ConfigurationError) -> AtRestKey {
        func refuse(_ reason: String) -> ConfigurationError { ConfigurationError(issues: ["\(name): \(reason)"]) }
        let content: [UInt8]
        do {
            let status = try FileStatus(of: path, followingLinks: true)
            guard status.permissions & mask == 0 else {
                throw refuse(
                    "\(path) can be read by others (its permissions are \(status.octalPermissions)): run "
                        + "chmod \(mode) \(shellQuoted(path)), and take another key (flag-server at-rest rotate)")
            }
            content = try FileBytes.read(path, atMost: 256)
        } catch let error as ConfigurationError {
            throw error
        } catch let error as FileFault {
            throw refuse("\(path) cannot be read: \(error)")
        } catch {
            throw refuse("\(error)")
        }
        guard let key = Self.bytes(in: content).flatMap(AtRestKey.init) else {
            throw refuse("\(path) must hold \(Self.form), and nothing else")
        }
        return key
    }

    /// The bytes that the content of a file stands for; nil when it is no key.
    static func bytes(in content: [UInt8]) -> [UInt8]? {
        if content.count == AtRestKey.byteCount { return content }
        let lineEnd = content.last == UInt8(ascii: "\n") ? 1 : 0
        let text = content.dropLast(lineEnd)
        if text.count == 2 * AtRestKey.byteCount {
            let digits = text.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
            guard digits.count == text.count else { return nil }
            return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
        }
        let decoded = Array(text).withUnsafeBytes { try? BinaryText.decode($0) }
        return decoded?.count == AtRestKey.byteCount ? decoded : nil
    }
}

extension ServerConfiguration {
    /// The files of the keys for what is stored.
    ///
    /// - Parameter environment: the process's environment, for what systemd hands over.
    func atRestKeyFiles(environment: [String: String]) -> AtRestKeyFiles {
        AtRestKeyFiles(key: atRestKey, formerKey: atRestFormerKey, environment: environment)
    }
}
