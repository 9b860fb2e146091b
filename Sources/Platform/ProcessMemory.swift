import CLinux
import Glibc

/// What the process has of the machine's memory.
package enum ProcessMemory {
    /// Gives back what nobody uses at the moment: for after a start, or other work that took more than is kept of it.
    ///
    /// That is memory that was freed but that the allocator keeps, and the code that has run: what is still needed of
    /// it comes back from the system's cache of files when it is called, 64 KiB at a time and in about a microsecond;
    /// what only the start needed does not.
    package static func giveBack() {
        malloc_trim(0)
        giveBackCode()
    }

    /// Gives back the pages of the code of the program and its libraries.
    ///
    /// - Returns: how many mappings were given back.
    @discardableResult
    static func giveBackCode() -> Int {
        let maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC)
        guard maps >= 0 else { return 0 }
        defer { close(maps) }
        var text: [UInt8] = []
        while let part = readPart(maps) { text += part }
        var count = 0
        for line in text.split(separator: UInt8(ascii: "\n")) {
            guard let code = CodeMapping(line) else { continue }
            if madvise(code.start, code.count, MADV_DONTNEED) == 0 { count += 1 }
        }
        return count
    }

    /// The next part of a file; nil at its end.
    private static func readPart(_ file: Int32) -> [UInt8]? {
        let part = [UInt8](unsafeUninitializedCapacity: 16384) { buffer, count in
            count = max(0, read(file, buffer.baseAddress, buffer.count))
        }
        return part.isEmpty ? nil : part
    }
}

/// Code of a file, mapped so that it cannot be written: whatever is given back of it is in the file as it was.
struct CodeMapping {
    let start: UnsafeMutableRawPointer
    let count: Int

    /// Reads a line of /proc/self/maps (proc_pid_maps(5)); nil when it is of anything else.
    init?(_ line: some Collection<UInt8>) {
        let fields = line.split(separator: UInt8(ascii: " "))
        guard fields.count >= 6, fields[1].elementsEqual("r-xp".utf8), fields[5].first == UInt8(ascii: "/") else {
            return nil
        }
        let bounds = fields[0].split(separator: UInt8(ascii: "-")).map { field in
            UInt(String(decoding: field, as: UTF8.self), radix: 16)
        }
        guard bounds.count == 2, let lower = bounds[0], let upper = bounds[1], lower < upper,
            let start = UnsafeMutableRawPointer(bitPattern: lower)
        else { return nil }
        self.start = start
        count = Int(upper - lower)
    }
}
