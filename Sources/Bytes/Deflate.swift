import CZlib

/// Bytes in fewer bytes, in zlib's own frame (RFC 1950), for what is stored.
package enum Deflate {
    /// Compresses bytes. O(bytes).
    ///
    /// - Returns: nil when there is no memory, or when it would not make them fewer.
    package static func deflated(_ bytes: [UInt8]) -> [UInt8]? {
        guard !bytes.isEmpty else { return nil }
        var coded = [UInt8](repeating: 0, count: bytes.count)
        var count = uLong(coded.count)
        // Without room for it all, it is not worth it.
        let status = compress2(&coded, &count, bytes, uLong(bytes.count), level)
        guard status == Z_OK, count < bytes.count else { return nil }
        coded.removeLast(coded.count - Int(count))
        return coded
    }

    /// What bytes were before they were compressed. O(both).
    ///
    /// - Parameter limit: how many bytes that may be.
    /// - Returns: nil for what `deflated` did not make, or not of so few bytes.
    package static func inflated(_ coded: [UInt8], atMost limit: Int) -> [UInt8]? {
        var room = min(limit, max(coded.count * 4, 512))
        while true {
            var bytes = [UInt8](repeating: 0, count: room)
            var count = uLong(room)
            switch uncompress(&bytes, &count, coded, uLong(coded.count)) {
            case Z_OK:
                bytes.removeLast(bytes.count - Int(count))
                return bytes
            case Z_BUF_ERROR where room < limit: room = min(limit, room * 4)
            default: return nil
            }
        }
    }

    /// What is stored is read seldom and written often: the fastest.
    private static let level: Int32 = 1
}
