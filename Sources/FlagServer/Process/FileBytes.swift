import Glibc
import Platform

/// Why a file could not be read or written: the call that failed, as a sentence about the file.
struct FileError: Error, Equatable, CustomStringConvertible {
    /// The file.
    let path: String
    /// What is wrong with it and what to do, so that it completes the sentence "the file …".
    let reason: String

    var description: String { "\(path): the file \(reason)" }

    /// The system's answer to a failed call, in words; `errno` is read by the caller, where the call failed.
    init(path: String, operation: String, errno code: Int32) {
        self.path = path
        reason =
            switch code {
            case ENOENT:
                operation == "written" ? "cannot be written: its directory does not exist" : "does not exist"
            case EACCES, EPERM: "must not be \(operation) by user \(geteuid()): check its owner and mode"
            case ENOSPC, EDQUOT: "could not be \(operation): the disk is full"
            case EROFS: "could not be \(operation): the file system is read-only"
            case EISDIR: "is a directory"
            default: "could not be \(operation): \(String(cString: strerror(code)))"
            }
    }

    init(path: String, reason: String) {
        self.path = path
        self.reason = reason
    }

    /// Why the file could not be opened.
    init(path: String, operation: String, _ fault: FileFault) {
        switch fault {
        case .system(let code): self.init(path: path, operation: operation, errno: code)
        case .notAFile(let kind): self.init(path: path, reason: "is \(kind), and must be a file")
        }
    }
}

/// Whole files, read and written in one go, with a bound on their size.
enum FileBytes {
    /// Reads the file at `path`, or standard input for `-`.
    static func read(_ path: String, atMost maximum: Int) throws(FileError) -> [UInt8] {
        if path == "-" { return try read(descriptor: STDIN_FILENO, path: "standard input", atMost: maximum) }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(path: path, operation: "read", errno: errno) }
        defer { close(descriptor) }
        return try read(descriptor: descriptor, path: path, atMost: maximum)
    }

    /// Writes all of `bytes` to a descriptor.
    static func write(_ bytes: [UInt8], to descriptor: Int32, path: String) throws(FileError) {
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 {
                written += count
            } else if errno != EINTR {
                throw FileError(path: path, operation: "written", errno: errno)
            }
        }
    }

    /// Writes a file so that nobody ever sees half of it: under another name first, made durable, then renamed.
    ///
    /// What is there already keeps its owner and its permissions; where a link is, what it leads to is replaced. A
    /// device or a pipe is written into.
    ///
    /// - Parameter mode: the permissions of a new file.
    static func replace(_ path: String, with bytes: [UInt8], mode: mode_t = 0o644) throws(FileError) {
        let present = try? FileStatus(of: path, followingLinks: true)
        if let present, !present.isRegular, !present.isDirectory { return try fill(path, with: bytes) }
        let target = resolved(path)
        // Nobody can have put something under a name that nobody knows before.
        let draft = "\(target).\(String(UInt64.random(in: .min ... .max), radix: 36)).tmp"
        let descriptor: Int32
        do throws(FileFault) {
            descriptor = try OwnFile.open(draft, O_WRONLY | O_CREAT | O_EXCL, mode: mode)
        } catch {
            throw FileError(path: path, operation: "written", error)
        }
        do throws(FileError) {
            defer { close(descriptor) }
            try adopt(present, descriptor, path)
            try write(bytes, to: descriptor, path: path)
            guard fsync(descriptor) == 0 else { throw FileError(path: path, operation: "written", errno: errno) }
        } catch {
            unlink(draft)
            throw error
        }
        guard rename(draft, target) == 0 else {
            let failure = FileError(path: path, operation: "written", errno: errno)
            unlink(draft)
            throw failure
        }
    }

    /// Writes into something that is no file, such as /dev/stdout.
    private static func fill(_ path: String, with bytes: [UInt8]) throws(FileError) {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY)
        guard descriptor >= 0 else { throw FileError(path: path, operation: "written", errno: errno) }
        defer { close(descriptor) }
        try write(bytes, to: descriptor, path: path)
    }

    /// The path without links; as it is where it leads nowhere yet.
    private static func resolved(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// Gives a new file the owner and the permissions of the one that it takes the place of.
    private static func adopt(_ present: FileStatus?, _ descriptor: Int32, _ path: String) throws(FileError) {
        guard let present else { return }
        // Only root can give files away; others have a file of their own in the place of the old one.
        if geteuid() == 0, fchown(descriptor, present.owner, present.group) != 0 {
            throw FileError(path: path, operation: "given to its owner", errno: errno)
        }
        guard fchmod(descriptor, present.permissions & 0o777) == 0 else {
            throw FileError(path: path, operation: "written", errno: errno)
        }
    }

    /// Reads what is behind a descriptor's position.
    static func read(descriptor: Int32, path: String, atMost maximum: Int) throws(FileError) -> [UInt8] {
        var contents: [UInt8] = []
        let step = 1 << 16
        while true {
            var count = 0
            var failure: Int32 = 0
            let before = contents.count
            contents.append(contentsOf: repeatElement(0, count: step))
            contents[before...].withUnsafeMutableBytes { buffer in
                count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
                failure = errno
            }
            contents.removeLast(step - max(0, count))
            if count == 0 { return contents }
            if count < 0, failure != EINTR { throw FileError(path: path, operation: "read", errno: failure) }
            if contents.count > maximum {
                throw FileError(path: path, reason: "is larger than \(Units.size(maximum))")
            }
        }
    }
}
