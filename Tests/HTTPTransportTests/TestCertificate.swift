import COpenSSL
import Glibc

@testable import HTTPTransport

/// A certificate that is its own issuer, and its key, in two files that go away with it.
final class TestCertificate: Sendable {
    let certificateFile: String
    let keyFile: String
    private let directory: String

    /// Makes a key, and a certificate of a name for it that holds for an hour.
    init(_ name: String) throws {
        var template = Array("/tmp/tls-tests-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { mkdtemp($0.baseAddress!) }
        guard let made else { throw RawClient.Failure(description: "mkdtemp: errno \(errno)") }
        directory = String(cString: made)
        certificateFile = "\(directory)/certificate.pem"
        keyFile = "\(directory)/key.pem"
        try write(name)
    }

    deinit {
        unlink(certificateFile)
        unlink(keyFile)
        rmdir(directory)
    }

    var configuration: TLSConfiguration { TLSConfiguration(certificateFile: certificateFile, keyFile: keyFile) }

    /// Puts another certificate and key into the same files.
    func renew(_ name: String) throws { try write(name) }

    private func write(_ name: String) throws {
        guard let key = Self.makeKey(), let certificate = X509_new() else {
            throw RawClient.Failure(description: "OpenSSL makes no key")
        }
        defer {
            EVP_PKEY_free(key)
            X509_free(certificate)
        }
        X509_set_version(certificate, 2)
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1)
        X509_gmtime_adj(X509_getm_notBefore(certificate), -60)
        X509_gmtime_adj(X509_getm_notAfter(certificate), 3600)
        X509_set_pubkey(certificate, key)
        let subject = X509_get_subject_name(certificate)
        // 0x1001 is MBSTRING_ASC, a macro that Swift does not import.
        X509_NAME_add_entry_by_txt(subject, "CN", 0x1001, name, -1, -1, 0)
        X509_set_issuer_name(certificate, subject)
        // Ed25519 hashes by itself.
        guard X509_sign(certificate, key, nil) > 0 else {
            throw RawClient.Failure(description: "OpenSSL does not sign")
        }
        try Self.withFile(certificateFile) { PEM_write_bio_X509($0, certificate) }
        try Self.withFile(keyFile) { PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil) }
    }

    private static func makeKey() -> OpaquePointer? {
        guard let context = EVP_PKEY_CTX_new_id(NID_ED25519, nil) else { return nil }
        defer { EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        EVP_PKEY_keygen_init(context)
        EVP_PKEY_keygen(context, &key)
        return key
    }

    private static func withFile(_ path: String, _ write: (OpaquePointer) -> Int32) throws {
        guard let file = BIO_new_file(path, "w") else {
            throw RawClient.Failure(description: "\(path): errno \(errno)")
        }
        defer { BIO_free(file) }
        guard write(file) == 1 else { throw RawClient.Failure(description: "\(path) cannot be written") }
    }
}
