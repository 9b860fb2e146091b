import Bytes
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
    /// What of the bytes that are being received OpenSSL has not taken yet.
    private var arriving = UnsafeRawBufferPointer(start: nil, count: 0)
    private var isBroken = false

    /// A session at its begin; nil without memory for it.
    init?(_ context: TLSContext) {
        guard let session = SSL_new(context.pointer) else { return nil }
        guard let method = Self.method, let pipe = BIO_new(method) else {
            SSL_free(session)
            return nil
        }
        self.session = session
        // Unretained: whoever is asked for bytes is in the middle of a call of ours.
        BIO_set_data(pipe, Unmanaged.passUnretained(self).toOpaque())
        // The session owns it from now on.
        SSL_set_bio(session, pipe, pipe)
        SSL_set_accept_state(session)
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
        if isBroken { return .failed }
        arriving = bytes
        // OpenSSL has taken all of it by then, or gives up.
        defer { arriving = UnsafeRawBufferPointer(start: nil, count: 0) }
        ERR_clear_error()
        if !isEstablished {
            let status = SSL_do_handshake(session)
            if status != 1 {
                return SSL_get_error(session, status) == SSL_ERROR_WANT_READ ? .taken : fail()
            }
            isEstablished = true
        }
        return read(into: &input)
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
        // The output takes everything.
        guard SSL_write(session, bytes.baseAddress, Int32(clamping: bytes.count)) == bytes.count else {
            _ = fail()
            return false
        }
        return true
    }

    /// Adds to the output that nothing more will come (RFC 8446 §6.1).
    func end() {
        guard isEstablished, !isBroken else { return }
        ERR_clear_error()
        SSL_shutdown(session)
    }

    private func fail() -> Outcome {
        isBroken = true
        return .failed
    }
}

// MARK: - What OpenSSL reads from and writes to

extension TLSSession {
    /// Takes bytes where they arrived, and puts bytes where they are sent from.
    ///
    /// OpenSSL's own BIO in memory would keep as much memory as ever went through it at a time: a connection that once
    /// had a response of a megabyte would hold a megabyte until it is closed.
    // Proof for `nonisolated(unsafe)`: it is made once and changed by nobody afterwards.
    private nonisolated(unsafe) static let method: OpaquePointer? = {
        guard let method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "loop") else { return nil }
        BIO_meth_set_create(method) { pipe in
            BIO_set_init(pipe, 1)
            return 1
        }
        BIO_meth_set_read(method) { pipe, bytes, count in
            guard let bytes, count > 0, let session = TLSSession.owner(of: pipe) else { return -1 }
            return session.take(UnsafeMutableRawBufferPointer(start: bytes, count: Int(count)), pipe)
        }
        BIO_meth_set_write(method) { pipe, bytes, count in
            guard let bytes, count > 0, let session = TLSSession.owner(of: pipe) else { return -1 }
            session.output.append(UnsafeRawBufferPointer(start: bytes, count: Int(count)))
            return count
        }
        BIO_meth_set_ctrl(method) { _, command, _, _ in
            // Nothing waits anywhere: to flush is done at once. It can do nothing else.
            command == BIO_CTRL_FLUSH ? 1 : 0
        }
        return method
    }()

    private static func owner(of pipe: OpaquePointer?) -> TLSSession? {
        BIO_get_data(pipe).map { Unmanaged<TLSSession>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Hands on what has arrived; says that more is awaited when there is nothing.
    private func take(_ room: UnsafeMutableRawBufferPointer, _ pipe: OpaquePointer?) -> Int32 {
        BIO_clear_flags(pipe, BIO_FLAGS_READ | BIO_FLAGS_WRITE | BIO_FLAGS_IO_SPECIAL | BIO_FLAGS_SHOULD_RETRY)
        if arriving.isEmpty {
            BIO_set_flags(pipe, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY)
            return -1
        }
        let part = UnsafeRawBufferPointer(rebasing: arriving.prefix(room.count))
        room.copyMemory(from: part)
        arriving = UnsafeRawBufferPointer(rebasing: arriving.dropFirst(part.count))
        return Int32(part.count)
    }
}
