import CZlib

/// Content that was coded with gzip cannot be decoded.
package enum GzipFailure: Error, Equatable {
    /// It is not gzip, is damaged, or ends too early.
    case malformed
    /// What it stands for has more bytes than may be.
    case tooLarge
    /// There is no memory.
    case outOfMemory
}

/// Decodes what was coded with gzip (RFC 1952), of which there may be several members one behind the other.
package enum GzipDecoder {
    /// The whole content.
    ///
    /// - Parameters:
    ///   - coded: all of it as it came.
    ///   - limit: how many bytes it may stand for.
    /// - Throws: what is wrong. Nothing is made of more than `limit` bytes, however small they came.
    /// - Complexity: O(coded + result), in memory as well.
    package static func decoded(_ coded: UnsafeRawBufferPointer, atMost limit: Int) throws(GzipFailure) -> [UInt8] {
        // At a fixed address, since zlib's own state points back at it.
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        defer { stream.deallocate() }
        stream.pointee.next_in = UnsafeMutablePointer(
            mutating: coded.baseAddress?.assumingMemoryBound(to: UInt8.self))
        stream.pointee.avail_in = UInt32(coded.count)
        // 15 bits of window, and 16 for the frame of gzip instead of zlib's own.
        guard inflateInit2_(stream, 15 + 16, zlibVersion(), Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw .outOfMemory
        }
        defer { inflateEnd(stream) }
        var output = [UInt8](repeating: 0, count: min(limit, max(4 * coded.count, 512)) + 1)
        var count = 0
        while true {
            let status = output.withUnsafeMutableBufferPointer { room in
                stream.pointee.next_out = room.baseAddress.map { $0 + count }
                stream.pointee.avail_out = UInt32(room.count - count)
                let status = inflate(stream, Z_NO_FLUSH)
                count = room.count - Int(stream.pointee.avail_out)
                return status
            }
            // One byte more than may be has room, so that what is too large is seen.
            if count > limit { throw .tooLarge }
            switch status {
            case Z_STREAM_END where stream.pointee.avail_in == 0:
                output.removeLast(output.count - count)
                return output
            case Z_STREAM_END:
                guard inflateReset(stream) == Z_OK else { throw .malformed }
            case Z_OK where stream.pointee.avail_out == 0, Z_BUF_ERROR where stream.pointee.avail_out == 0:
                output.append(contentsOf: repeatElement(0, count: min(limit + 1 - output.count, output.count)))
            case Z_MEM_ERROR: throw .outOfMemory
            default: throw .malformed
            }
        }
    }
}
