import Glibc

/// What the kernel says of this process (proc(5), getrusage(2)).
package struct ProcessFigures: Sendable {
    /// Memory that the process holds, in bytes.
    package let residentBytes: UInt64
    /// Addresses that it has mapped, in bytes.
    package let virtualBytes: UInt64
    /// Seconds of the processors that it took since its start, in its own code and in the kernel's.
    package let processorSeconds: Double
    /// Threads.
    package let threads: UInt64
    /// Descriptors that are open, and the most that may be.
    package let descriptors: (open: UInt64, maximum: UInt64)

    /// Reads them; nil where `/proc` is not there. Reads files, O(descriptors).
    package init?() {
        guard let memory = Self.fields(of: "/proc/self/statm"), memory.count > 1, let virtual = UInt64(memory[0]),
            let resident = UInt64(memory[1]), let line = Self.text(of: "/proc/self/stat"),
            // What the process is called, in parentheses, may have any character.
            let name = line.lastIndex(of: ")")
        else { return nil }
        let page = UInt64(max(1, sysconf(Int32(_SC_PAGESIZE))))
        (virtualBytes, residentBytes) = (virtual * page, resident * page)
        // The fields behind the name, from the third on: num_threads is the twentieth.
        let fields = line[line.index(after: name)...].split(separator: " ")
        threads = fields.count > 17 ? UInt64(fields[17]) ?? 0 : 0
        var usage = rusage()
        getrusage(RUSAGE_SELF.rawValue, &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1_000_000 }
        processorSeconds = seconds(usage.ru_utime) + seconds(usage.ru_stime)
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        descriptors = (Self.openDescriptors, UInt64(limit.rlim_cur))
    }

    private static var openDescriptors: UInt64 {
        guard let folder = opendir("/proc/self/fd") else { return 0 }
        defer { closedir(folder) }
        var count: UInt64 = 0
        while readdir(folder) != nil { count += 1 }
        // The folder itself, the one above it, and the descriptor by which it is read.
        return count > 3 ? count - 3 : 0
    }

    private static func fields(of path: String) -> [Substring]? { text(of: path)?.split(separator: " ") }

    private static func text(of path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 1024)
        let count = read(file, &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }
}

/// How much room the file system of a path has, in bytes.
package struct FileSystemRoom: Sendable {
    /// All of it.
    package let size: UInt64
    /// What those may still take who are not root.
    package let free: UInt64

    /// Asks for it; nil when the path is not there (statvfs(3)).
    package init?(of path: String) {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return nil }
        size = UInt64(status.f_blocks) * UInt64(status.f_frsize)
        free = UInt64(status.f_bavail) * UInt64(status.f_frsize)
    }
}
