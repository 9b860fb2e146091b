import Glibc

/// The address of a Unix socket (unix(7)).
package struct UnixAddress {
    private var storage = sockaddr_un()
    private let length: socklen_t

    /// How many bytes a path may have; one more is its end.
    package static let maximumPathBytes = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1

    /// The address of a file, or with `@` in front a name in Linux's abstract space; nil when it is empty or too long.
    package init?(_ path: String) {
        var bytes = Array(path.utf8)
        guard !bytes.isEmpty, bytes.count <= Self.maximumPathBytes else { return nil }
        let isAbstract = bytes[0] == UInt8(ascii: "@")
        if isAbstract { bytes[0] = 0 }
        storage.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &storage.sun_path) { $0.copyBytes(from: bytes) }
        let head = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2
        // An abstract name ends where the length says, a file's with a zero byte.
        length = socklen_t(head + bytes.count + (isAbstract ? 0 : 1))
    }

    /// Lends the address in the form that the system's calls take.
    package func withSockaddr<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        withUnsafePointer(to: storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
        }
    }
}
