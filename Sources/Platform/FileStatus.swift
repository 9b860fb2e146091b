import Glibc

/// What the system says of a file: what it is, and who may do what with it (inode(7)).
package struct FileStatus: Sendable, Equatable {
    /// What stands under a name, with its article: `a directory`, `a symbolic link`.
    package let kind: String
    /// Whether it is a file with content that can be read anywhere in it, and no directory, link, pipe or device.
    package let isRegular: Bool
    /// Whether it is a directory.
    package let isDirectory: Bool
    /// Whether it is a socket.
    package let isSocket: Bool
    /// Whether it is a symbolic link.
    package let isLink: Bool
    /// The user whose it is.
    package let owner: uid_t
    /// The group whose it is.
    package let group: gid_t
    /// How many bytes a file has.
    package let size: Int
    /// The bits that say who may do what, without those that say what it is.
    package let permissions: mode_t

    /// Asks what is under a name.
    ///
    /// - Parameter followingLinks: whether what a link leads to is meant, and not the link.
    /// - Throws: `.system`.
    package init(of path: String, followingLinks: Bool = false) throws(FileFault) {
        var status = stat()
        guard (followingLinks ? stat(path, &status) : lstat(path, &status)) == 0 else { throw .system(errno) }
        self.init(status)
    }

    /// Asks what a descriptor is of.
    ///
    /// - Throws: `.system`.
    package init(of descriptor: Int32) throws(FileFault) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .system(errno) }
        self.init(status)
    }

    private init(_ status: stat) {
        let type = status.st_mode & S_IFMT
        isRegular = type == S_IFREG
        isDirectory = type == S_IFDIR
        isSocket = type == S_IFSOCK
        isLink = type == S_IFLNK
        kind =
            switch type {
            case S_IFREG: "a file"
            case S_IFDIR: "a directory"
            case S_IFLNK: "a symbolic link"
            case S_IFIFO: "a pipe"
            case S_IFSOCK: "a socket"
            default: "a device"
            }
        owner = status.st_uid
        group = status.st_gid
        size = Int(status.st_size)
        permissions = status.st_mode & 0o7777
    }
}

extension FileStatus {
    /// Whether others than its owner may change it: its group, or everybody. Where there is an access control list, the
    /// bits of the group are the most that anybody named in it may do (acl(5)).
    package var othersCanWrite: Bool { permissions & 0o022 != 0 }

    /// Whether others than its owner may read it; of a directory, the names in it.
    package var othersCanRead: Bool { permissions & 0o044 != 0 }

    /// Whether others than a directory's owner may open what is in it.
    package var othersCanEnter: Bool { permissions & 0o011 != 0 }

    /// The permissions as they are written in commands: `0640`.
    package var octalPermissions: String {
        let digits = String(permissions, radix: 8)
        return String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
    }
}

/// A path as it is typed in a shell: in quotes where it has anything that means something there.
package func shellQuoted(_ path: String) -> String {
    let isPlain =
        !path.isEmpty
        && path.utf8.allSatisfy { byte in
            (0x61...0x7A).contains(byte | 0x20) || (0x30...0x39).contains(byte) || "/._-+:@%=,".utf8.contains(byte)
        }
    return isPlain
        ? path : "'" + path.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
}
