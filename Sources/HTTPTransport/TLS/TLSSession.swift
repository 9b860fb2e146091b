import COpenSSL

/// The secured side of one connection: bytes of the network go in and come out here, those of HTTP go the other way.
/// Touches no socket. Confined to its loop.
final class TLSSession {
    /// What became of bytes.
    enum Outcome: Equatable {
        /// They were taken.
        case taken
        /// The peer has ended its side in good order (RFC 8446 §6.1).
        case ended
        /// The session is broken; what is in `output` tells the peer why.
        case failed
    }

    /// Bytes for the network.
    var output = ByteBuffer()
    /// Whether the handshake is over.
    private(set) var isEstablished = false
    private let session: OpaquePointer
    private let incoming: OpaquePointer
    private let outgoing: OpaquePointer
    private var isBroken = false

    /// A session at its begin; nil without memory for it.
    init?(_ context: TLSContext) {
        guard let session = SSL_new(context.pointer) else { return nil }
        guard let incoming = BIO_new(BIO_s_mem()), let outgoing = BIO_new(BIO_s_mem()) else {
            SSL_free(session)
            return nil
        }
        // The session owns both from now on.
        SSL_set_bio(session, incoming, outgoing)
        SSL_set_accept_state(session)
        self.session = session
        self.incoming = incoming
        self.outgoing = outgoing
    }

    deinit {
        SSL_free(session)
    }

    /// Whether an earlier session was resumed, so that no certificate had to be proved.
    var isResumed: Bool { SSL_session_reused(session) == 1 }

    /// Takes bytes of the network.
    ///
    /// - Parameters:
    ///   - bytes: As they came.
    ///   - input: Receives what the peer said.
    func receive(_ bytes: UnsafeRawBufferPointer, into input: inout ByteBuffer) -> Outcome {
        guard !isBroken, BIO_write(incoming, bytes.baseAddress, Int32(bytes.count)) == bytes.count else {
            return fail()
        }
        ERR_clear_error()
        if !isEstablished {
            let status = SSL_do_handshake(session)
            if status != 1 {
                let isWaiting = SSL_get_error(session, status) == SSL_ERROR_WANT_READ
                collect()
                return isWaiting ? .taken : fail()
            }
            isEstablished = true
        }
        let outcome = read(into: &input)
        collect()
        return outcome
    }

    private func read(into input: inout ByteBuffer) -> Outcome {
        while true {
            input.reserve(16_384)
            let room = input.writable
            let count = SSL_read(session, room.baseAddress, Int32(clamping: room.count))
            if count > 0 {
                input.fill(Int(count))
                continue
            }
            switch SSL_get_error(session, count) {
            case SSL_ERROR_WANT_READ: return .taken
            case SSL_ERROR_ZERO_RETURN: return .ended
            default: return fail()
            }
        }
    }

    /// Secures `bytes`, and adds them to the output.
    ///
    /// - Returns: False when the session is broken.
    func send(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard isEstablished, !isBroken, !bytes.isEmpty else { return false }
        ERR_clear_error()
        // A BIO in memory takes everything.
        guard SSL_write(session, bytes.baseAddress, Int32(clamping: bytes.count)) == bytes.count else {
            _ = fail()
            return false
        }
        collect()
        return true
    }

    /// Adds to the output that nothing more will come (RFC 8446 §6.1).
    func end() {
        guard isEstablished, !isBroken else { return }
        ERR_clear_error()
        SSL_shutdown(session)
        collect()
    }

    private func fail() -> Outcome {
        isBroken = true
        collect()
        return .failed
    }

    private func collect() {
        var waiting = copenssl_pending(outgoing)
        while waiting > 0 {
            output.reserve(waiting)
            let count = BIO_read(outgoing, output.writable.baseAddress, Int32(clamping: waiting))
            guard count > 0 else { return }
            output.fill(Int(count))
            waiting = copenssl_pending(outgoing)
        }
    }
}
