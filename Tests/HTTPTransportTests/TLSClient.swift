import COpenSSL

@testable import HTTPTransport

/// The client's side of a secured connection, without a socket: what it sends is taken out of it, what comes is put in.
final class TLSClient {
    private let context: OpaquePointer
    private let session: OpaquePointer
    private let incoming: OpaquePointer
    private let outgoing: OpaquePointer
    /// What the server said, as far as it was read.
    private(set) var received: [UInt8] = []

    /// What a client of its own kind says in its hello.
    struct Hello {
        /// The newest version that it speaks.
        var maximumVersion = TLS1_3_VERSION
        /// Protocols, each behind its length (RFC 7301); none when empty.
        var protocols: [UInt8] = []
        /// An earlier session that it would like to go on with.
        var earlier: Ticket?
    }

    /// What a server has given out to resume a session with.
    final class Ticket {
        let pointer: OpaquePointer

        init(_ pointer: OpaquePointer) { self.pointer = pointer }

        deinit { SSL_SESSION_free(pointer) }
    }

    init(_ hello: Hello = Hello()) throws {
        guard let context = SSL_CTX_new(TLS_client_method()), let session = SSL_new(context),
            let incoming = BIO_new(BIO_s_mem()), let outgoing = BIO_new(BIO_s_mem())
        else { throw RawClient.Failure(description: "OpenSSL makes no session") }
        self.context = context
        self.session = session
        self.incoming = incoming
        self.outgoing = outgoing
        SSL_set_bio(session, incoming, outgoing)
        SSL_set_connect_state(session)
        // SSL_set_max_proto_version is a macro of this.
        SSL_ctrl(session, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(hello.maximumVersion), nil)
        if !hello.protocols.isEmpty { SSL_set_alpn_protos(session, hello.protocols, UInt32(hello.protocols.count)) }
        if let earlier = hello.earlier { SSL_set_session(session, earlier.pointer) }
    }

    deinit {
        SSL_free(session)
        SSL_CTX_free(context)
    }

    /// Goes on with the handshake, and reads what there is.
    func goOn() {
        ERR_clear_error()
        guard SSL_do_handshake(session) == 1 else { return }
        var piece = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = SSL_read(session, &piece, Int32(piece.count))
            guard count > 0 else { return }
            received += piece[..<Int(count)]
        }
    }

    /// Says something, once the handshake is over.
    func write(_ bytes: [UInt8]) -> Bool { SSL_write(session, bytes, Int32(bytes.count)) == bytes.count }

    /// Says that nothing more comes.
    func end() { SSL_shutdown(session) }

    /// Has both sides' keys replaced (RFC 8446 §4.6.3).
    func renewKeys() { SSL_key_update(session, SSL_KEY_UPDATE_REQUESTED) }

    /// Takes bytes that came.
    func put(_ bytes: some Collection<UInt8>) {
        let bytes = Array(bytes)
        BIO_write(incoming, bytes, Int32(bytes.count))
    }

    /// Takes out what is to be sent.
    func take() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: BIO_ctrl_pending(outgoing))
        let count = BIO_read(outgoing, &bytes, Int32(bytes.count))
        return Array(bytes.prefix(max(0, Int(count))))
    }

    /// Whether the handshake is over.
    var isEstablished: Bool { SSL_is_init_finished(session) == 1 }
    var isResumed: Bool { SSL_session_reused(session) == 1 }
    /// Whether the server has said that nothing more comes.
    var isEnded: Bool { SSL_get_shutdown(session) & SSL_RECEIVED_SHUTDOWN != 0 }
    /// What a later session can be resumed with.
    var ticket: Ticket? { SSL_get1_session(session).map(Ticket.init) }
    var version: Int32 { SSL_version(session) }

    /// The protocol that the server has chosen.
    var chosenProtocol: String {
        var name: UnsafePointer<UInt8>?
        var length: UInt32 = 0
        SSL_get0_alpn_selected(session, &name, &length)
        return String(decoding: UnsafeBufferPointer(start: name, count: Int(length)), as: UTF8.self)
    }

    /// The name in the server's certificate.
    var serverName: String {
        guard let certificate = SSL_get1_peer_certificate(session) else { return "" }
        defer { X509_free(certificate) }
        var name = [CChar](repeating: 0, count: 64)
        X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, &name, Int32(name.count))
        return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
