import CCommonPasswords
import Crypto

/// The passwords that are most used, and so are tried first.
enum CommonPasswords {
    private static let digestBytes = 4

    /// Whether a text, in small letters, is one of them. O(log passwords). About one in 400,000 others is taken for
    /// one.
    static func contains(_ text: String) -> Bool {
        let wanted = SHA256.hash(data: Array(text.utf8)).prefix(digestBytes).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        let table = UnsafeRawBufferPointer(start: common_passwords_bytes, count: Int(common_passwords_count))
        var range = 0..<(table.count / digestBytes)
        while !range.isEmpty {
            let middle = range.lowerBound + range.count / 2
            let found = UInt32(
                bigEndian: table.loadUnaligned(fromByteOffset: middle * digestBytes, as: UInt32.self))
            if found == wanted { return true }
            range = found < wanted ? (middle + 1)..<range.upperBound : range.lowerBound..<middle
        }
        return false
    }
}
