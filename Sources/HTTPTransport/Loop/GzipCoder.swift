import Bytes
import CZlib
import Glibc

/// Compresses one text after the other with gzip (RFC 1952), in memory that is kept: about 256 KiB, taken when the
/// first text comes.
struct GzipCoder: ~Copyable {
    private let level: Int32
    /// At a fixed address, since zlib's own state points back at it.
    private var stream: UnsafeMutablePointer<z_stream>?
    private var output = ByteBuffer()

    init(level: Int) {
        self.level = Int32(level)
    }

    deinit {
        guard let stream else { return }
        deflateEnd(stream)
        stream.deallocate()
    }

    /// Compresses `bytes`.
    ///
    /// - Parameters:
    ///   - bytes: The whole text.
    ///   - body: Receives the result, valid during the call; nil when there is no memory, or when it would not be
    ///     smaller.
    mutating func compress(_ bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer?) -> Void) {
        guard let stream = begin() else { return body(nil) }
        output.reserve(bytes.count)
        let room = output.writable
        stream.pointee.next_in = UnsafeMutablePointer(
            mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
        stream.pointee.avail_in = UInt32(bytes.count)
        stream.pointee.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(min(room.count, bytes.count))
        // Without room for it all, it is not worth it.
        if deflate(stream, Z_FINISH) == Z_STREAM_END {
            output.fill(min(room.count, bytes.count) - Int(stream.pointee.avail_out))
            body(output.readable)
        } else {
            body(nil)
        }
        output.consume(output.count)
        if output.capacity > 4 * LoopState.spareBytes { output.release() }
    }

    private mutating func begin() -> UnsafeMutablePointer<z_stream>? {
        if let stream { return deflateReset(stream) == Z_OK ? stream : nil }
        let made = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        made.initialize(to: z_stream())
        // 15 bits of window, and 16 for the frame of gzip instead of zlib's own.
        let status = deflateInit2_(
            made, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, zlibVersion(), Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else {
            made.deallocate()
            return nil
        }
        stream = made
        return made
    }
}
