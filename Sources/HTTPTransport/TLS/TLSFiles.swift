import Glibc
import Platform

extension TLSConfiguration {
    /// Checks that certificate and key are files that nobody but their owner can change: whoever exchanges them takes
    /// the server's place. They may be links, as certificates that renew themselves are.
    ///
    /// - Throws: `TransportError.certificate`, with what to do.
    func checkFiles() throws(TransportError) {
        for file in [certificateFile, keyFile] {
            // What is not there is told by whoever reads it.
            guard let status = try? FileStatus(of: file, followingLinks: true) else { continue }
            guard status.isRegular else {
                // From a pipe, nothing could be read a second time; to open one may take for ever.
                throw .certificate(file: file, reason: "it is \(status.kind), and must be a file")
            }
            guard !status.othersCanWrite else {
                throw .certificate(
                    file: file,
                    reason: "others than its owner can change it (its permissions are \(status.octalPermissions)): run "
                        + "chmod go-w \(shellQuoted(file))")
            }
        }
    }

    /// Who else can read the key, and how that is changed; nil when only its owner can, or a group that root has given
    /// it to, as Debian does with `ssl-cert`.
    package var exposure: String? {
        guard let key = try? FileStatus(of: keyFile, followingLinks: true), key.othersCanRead else { return nil }
        let isGiven = key.owner == 0 && key.permissions & 0o004 == 0
        if isGiven { return nil }
        return "others than its owner can read the key \(keyFile) (its permissions are \(key.octalPermissions)), and "
            + "could speak for this server: run chmod \(key.owner == 0 ? "o-r" : "go-r") \(shellQuoted(keyFile))"
    }
}
