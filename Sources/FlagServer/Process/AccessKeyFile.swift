import AccessStore
import Glibc
import Platform

/// The key by which secrets are kept: a file in the data directory, or a credential that systemd hands over
/// (systemd.exec(5), `LoadCredential=`), which then decides.
struct AccessKeyFile: Sendable {
    private static let name = "access.key"

    /// The data directory; nil for a store in memory.
    let directory: String?
    /// The process's environment.
    let environment: [String: String]

    /// The file of a data directory.
    init(directory: String?, environment: [String: String]) {
        self.directory = directory
        self.environment = environment
    }

    /// That of a store in memory, whose keys end with it.
    private let inMemory = SecretDigest(key: random())

    private var path: String? { directory.map { "\($0)/\(Self.name)" } }

    /// Reads the key.
    ///
    /// - Parameter creates: whether one is made where there is none.
    /// - Throws: what is wrong with it, and what to do.
    func digests(creates: Bool) throws(KeyStoreError) -> SecretDigest {
        if let credentials = environment["CREDENTIALS_DIRECTORY"] {
            let path = "\(credentials)/\(Self.name)"
            if access(path, F_OK) == 0 { return try read(path, isOwn: false) }
        }
        guard let path else { return inMemory }
        if access(path, F_OK) != 0, errno == ENOENT {
            guard creates else {
                throw .secretKey(
                    "\(path) is gone, by which keys, accounts and tokens are checked: put it back from a copy of the "
                        + "data directory. Where there is none, `(umask 077; head -c 32 /dev/urandom > \(path))` makes "
                        + "another: then no key, token or second factor of before is good any more, and root makes "
                        + "others (`flag-server keys create`, `users reset-totp`)")
            }
            return try create(path)
        }
        return try read(path, isOwn: true)
    }

    /// Who else can read the key, and what to do; nil when only its owner can, or where there is none. Files of
    /// `LoadCredential=` are shown to the unit by an access list, whose mask stands in place of the group's
    /// permissions.
    var exposure: String? {
        let credential = environment["CREDENTIALS_DIRECTORY"].map { ("\($0)/\(Self.name)", UInt32(0o007), "o-rwx") }
        let own = path.map { ($0, UInt32(0o077), "600") }
        for case let (path, mask, mode)? in [credential, own] {
            guard let status = try? FileStatus(of: path, followingLinks: true), status.permissions & mask != 0 else {
                continue
            }
            return "\(path) can be read by others (its permissions are \(status.octalPermissions)), and secrets are "
                + "checked and made by it: run chmod \(mode) \(shellQuoted(path)), and rotate all keys"
        }
        return nil
    }

    private static func random() -> [UInt8] {
        var source = SystemRandomNumberGenerator()
        return (0..<SecretDigest.keyBytes).map { _ in UInt8.random(in: 0 ... .max, using: &source) }
    }

    private func create(_ path: String) throws(KeyStoreError) -> SecretDigest {
        let bytes = Self.random()
        do {
            let descriptor: Int32
            do throws(FileFault) {
                descriptor = try OwnFile.open(path, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
            } catch {
                // Somebody else was faster: theirs is the key.
                if error.code == EEXIST { return try read(path, isOwn: true) }
                throw FileError(path: path, operation: "written", error)
            }
            defer { close(descriptor) }
            try FileBytes.write(bytes, to: descriptor, path: path)
            guard fsync(descriptor) == 0 else { throw FileError(path: path, operation: "written", errno: errno) }
        } catch let error as KeyStoreError { throw error } catch { throw .secretKey("\(error)") }
        return SecretDigest(key: bytes)
    }

    private func read(_ path: String, isOwn: Bool) throws(KeyStoreError) -> SecretDigest {
        let bytes: [UInt8]
        do {
            if isOwn, let status = try? FileStatus(of: path), status.permissions & 0o077 != 0 {
                throw FileError(path: path, reason: "can be read by others: chmod 600 it, and rotate all keys")
            }
            bytes = try FileBytes.read(path, atMost: SecretDigest.keyBytes + 1)
        } catch { throw .secretKey("\(error)") }
        guard bytes.count == SecretDigest.keyBytes else {
            throw .secretKey("\(path): the file has \(bytes.count) bytes, and must have \(SecretDigest.keyBytes)")
        }
        return SecretDigest(key: bytes)
    }
}
