import Glibc

/// Reads up to `count` bytes at a place in a file: fewer only where it ends, though one call of pread(2) may give less.
///
/// - Parameters:
///   - descriptor: the file, which keeps its position.
///   - offset: where to begin, in bytes.
/// - Throws: `.system`.
package func readWhole(_ descriptor: Int32, _ count: Int, at offset: Int) throws(FileFault) -> [UInt8] {
    var code: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
        while filled < count {
            let part = pread(descriptor, buffer.baseAddress.map { $0 + filled }, count - filled, offset + filled)
            if part == 0 { break }
            if part > 0 {
                filled += part
            } else if errno != EINTR {
                code = errno
                break
            }
        }
    }
    guard code == 0 else { throw .system(code) }
    return bytes
}
