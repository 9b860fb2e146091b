import COpenSSL
import Glibc

/// A certificate with its key, and the settings of every session that is begun with it.
final class TLSContext: Sendable {
    // Proof for the unsafe pointer: set in `init`, freed in `deinit`, and changed by nobody between; OpenSSL makes
    // sessions of one context on several threads (CRYPTO_THREAD_run_once(3), "Reference counting").
    nonisolated(unsafe) let pointer: OpaquePointer

    /// Reads certificate and key.
    ///
    /// - Parameters:
    ///   - configuration: Where they are.
    ///   - predecessor: Sessions that it issued tickets for can be resumed with this one.
    /// - Throws: `TransportError.certificate`, with the file and what is wrong with it.
    init(_ configuration: TLSConfiguration, after predecessor: TLSContext? = nil) throws(TransportError) {
        try configuration.checkFiles()
        guard let context = SSL_CTX_new(TLS_server_method()) else {
            throw .certificate(file: configuration.certificateFile, reason: TLSContext.lastError())
        }
        pointer = context
        ERR_clear_error()
        let minimum = configuration.minimumVersion == .tls13 ? TLS1_3_VERSION : TLS1_2_VERSION
        _ = copenssl_set_minimum_version(context, minimum)
        copenssl_set_modes(context)
        // One ticket a handshake: clients that want more connections take the newest.
        SSL_CTX_set_num_tickets(context, 1)
        SSL_CTX_set_session_id_context(context, "http", 4)
        copenssl_offer_http11(context)
        guard SSL_CTX_use_certificate_chain_file(context, configuration.certificateFile) == 1 else {
            throw .certificate(file: configuration.certificateFile, reason: TLSContext.lastError())
        }
        guard SSL_CTX_use_PrivateKey_file(context, configuration.keyFile, SSL_FILETYPE_PEM) == 1,
            SSL_CTX_check_private_key(context) == 1
        else {
            throw .certificate(file: configuration.keyFile, reason: TLSContext.lastError())
        }
        if let predecessor { _ = copenssl_copy_ticket_keys(predecessor.pointer, context) }
    }

    /// When the certificate ends, in seconds since 1970; nil where it does not say so.
    var certificateEnd: Int64? {
        let end = copenssl_not_after(pointer)
        return end > 0 ? end : nil
    }

    deinit {
        SSL_CTX_free(pointer)
    }

    /// What OpenSSL says went wrong first, in words.
    private static func lastError() -> String {
        let code = ERR_get_error()
        ERR_clear_error()
        return ERR_reason_error_string(code).map { String(cString: $0) }
            ?? String(cString: strerror(Int32(code & 0xFFF)))
    }
}
