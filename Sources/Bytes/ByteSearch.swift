import CLinux

extension UnsafeRawBufferPointer {
    /// Where `part` first stands in these bytes; nil when it stands nowhere. The empty part stands at the beginning.
    ///
    /// O(count + part.count) whatever both hold: glibc's `memmem` is the two-way search (Crochemore, Perrin 1991).
    package func firstOffset(of part: UnsafeRawBufferPointer) -> Int? {
        guard let start = baseAddress, let partStart = part.baseAddress, part.count > 0 else {
            return part.isEmpty ? 0 : nil
        }
        return clinux_find_bytes(start, count, partStart, part.count).map { UnsafeRawPointer($0) - start }
    }
}
