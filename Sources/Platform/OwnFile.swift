import Glibc

/// Why a file could not be opened.
package enum FileFault: Error, Sendable, Equatable {
    /// The system refused, with this `errno`.
    case system(Int32)
    /// What stands there is no file but this, with its article: `a directory`, `a symbolic link`.
    case notAFile(kind: String)

    /// The system's number for it.
    package var code: Int32 {
        switch self {
        case .system(let code): code
        case .notAFile: EINVAL
        }
    }
}

/// Opens files by names that lead to files only.
///
/// Whoever can put something else under the name — a link to a file of somebody else, a pipe that nobody writes to —
/// has it told, and neither followed nor waited for.
package enum OwnFile {
    /// Opens a file that is this program's own.
    ///
    /// - Parameters:
    ///   - path: the file. Directories on the way may be links, the file itself not.
    ///   - flags: as for open(2); `O_CLOEXEC` goes without saying.
    ///   - mode: the permissions of a file that is created.
    /// - Returns: a descriptor, which the caller closes.
    package static func open(_ path: String, _ flags: Int32, mode: mode_t = 0o600) throws(FileFault) -> Int32 {
        try open(path, flags | O_NOFOLLOW, mode, isFollowed: false)
    }

    /// Opens a file that somebody has named, and that may be a link to it.
    package static func open(named path: String, _ flags: Int32) throws(FileFault) -> Int32 {
        try open(path, flags, 0, isFollowed: true)
    }

    private static func open(
        _ path: String, _ flags: Int32, _ mode: mode_t, isFollowed: Bool
    ) throws(FileFault) -> Int32 {
        // Without O_NONBLOCK, to open a pipe waits for its other end. It means nothing for a file.
        let descriptor = Glibc.open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, mode)
        guard descriptor >= 0 else {
            let code = errno
            // A link, a directory, a pipe without a reader, or a socket: what it is says more than the number.
            if [ELOOP, EISDIR, ENXIO].contains(code),
                let status = try? FileStatus(of: path, followingLinks: isFollowed), !status.isRegular
            {
                throw .notAFile(kind: status.kind)
            }
            throw .system(code)
        }
        do throws(FileFault) {
            let status = try FileStatus(of: descriptor)
            guard status.isRegular else { throw .notAFile(kind: status.kind) }
        } catch {
            close(descriptor)
            throw error
        }
        return descriptor
    }
}
