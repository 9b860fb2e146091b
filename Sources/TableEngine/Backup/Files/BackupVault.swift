import DynamoModel
import Glibc
import Platform

/// The files of the backups of a store, by name and folder: in the data directory, or in memory for a store there.
///
/// A file is written as a draft and becomes visible under its name, whole and durable, when it is published.
final class BackupVault: Sendable {
    private let root: String?
    private let isReadOnly: Bool
    private let calls: FileCalls
    private let memory = Locked<[String: StoredFile]>([:])

    /// What the names of drafts end with. Nobody needs them after the end of the process that wrote them.
    private static let draftSuffix = ".part"

    /// The vault of a data directory, or one in memory.
    ///
    /// - Parameter isReadOnly: whether its files are only read.
    init(directory: String?, _ calls: FileCalls = .system, isReadOnly: Bool = false) {
        root = directory
        self.calls = calls
        self.isReadOnly = isReadOnly
    }

    /// Where a file is, for messages.
    func path(_ name: String) -> String { "\(root ?? "memory")/\(name)" }

    /// Makes an empty file that has no name yet.
    func draft(_ name: String) throws(TableError) -> StoredFile {
        guard root != nil else { return try memoryFile(name) }
        try createFolder(of: name)
        let draft = path(name) + Self.draftSuffix
        return try StoredFile.open(draft, O_RDWR | O_CREAT | O_TRUNC, calls)
    }

    /// Gives a draft its name, after it is on disk. When this returns, so is the name.
    func publish(_ file: StoredFile, as name: String) throws(TableError) {
        guard root != nil else { return memory.withLock { $0[name] = file } }
        try file.synchronize()
        guard Glibc.rename(path(name) + Self.draftSuffix, path(name)) == 0 else {
            throw failure("write", path(name), errno)
        }
        try synchronizeFolder(of: name)
    }

    /// Gives a published file another name, in the same folder. When this returns, that is on disk.
    func rename(_ name: String, to other: String) throws(TableError) {
        guard root != nil else { return memory.withLock { $0[other] = $0.removeValue(forKey: name) } }
        guard Glibc.rename(path(name), path(other)) == 0 else { throw failure("rename", path(name), errno) }
        try synchronizeFolder(of: other)
    }

    /// Removes a draft that is not published.
    func discard(_ name: String) { if root != nil { unlink(path(name) + Self.draftSuffix) } }

    /// Opens a file, for writing too unless the vault is read only; nil when there is none of the name.
    func open(_ name: String) throws(TableError) -> StoredFile? {
        guard root != nil else { return memory.withLock { $0[name] } }
        return try StoredFile.openIfThere(path(name), isReadOnly ? O_RDONLY : O_RDWR, calls)
    }

    /// Opens a file of a fixed name that holds nothing but a lock.
    func lockFile(_ name: String) throws(TableError) -> StoredFile {
        guard root != nil else { return try memoryFile(name) }
        try createFolder(of: name)
        return try StoredFile.open(path(name), O_RDWR | O_CREAT, calls)
    }

    /// The names of the files of a folder, sorted, without drafts.
    func files(in folder: String) throws(TableError) -> [String] {
        guard root != nil else {
            let prefix = folder + "/"
            return memory.withLock { files in
                files.keys.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
            }.sorted()
        }
        guard let names = Self.entries(path(folder)) else {
            if errno == ENOENT { return [] }
            throw failure("read", path(folder), errno)
        }
        return names.filter { !$0.hasPrefix(".") && !$0.hasSuffix(Self.draftSuffix) }.sorted()
    }

    /// Removes a file. Whoever has it open may go on reading it.
    ///
    /// - Returns: whether there was one.
    @discardableResult
    func remove(_ name: String) throws(TableError) -> Bool {
        guard root != nil else { return memory.withLock { $0.removeValue(forKey: name) } != nil }
        guard unlink(path(name)) == 0 else {
            if errno == ENOENT { return false }
            throw failure("remove", path(name), errno)
        }
        try synchronizeFolder(of: name)
        return true
    }

    /// Removes a folder with the files in it.
    func removeFolder(_ folder: String) throws(TableError) {
        for name in try files(in: folder) { try remove("\(folder)/\(name)") }
        guard root != nil else { return }
        // Drafts may be left in it; a folder that stays is in nobody's way.
        rmdir(path(folder))
    }

    /// Removes drafts that nobody has written to for an hour: their writer is gone.
    func discardOldDrafts(in folders: [String]) {
        guard root != nil else { return }
        let old = time(nil) - 3600
        for folder in folders {
            for name in Self.entries(path(folder)) ?? [] where name.hasSuffix(Self.draftSuffix) {
                var status = stat()
                let draft = "\(path(folder))/\(name)"
                if stat(draft, &status) == 0, status.st_mtim.tv_sec < old { unlink(draft) }
            }
        }
    }

    /// The folders in a folder in which nothing was written since a time, in milliseconds since 1970.
    func folders(in folder: String, unchangedSince time: Int64) -> [String] {
        guard root != nil else { return [] }
        func lastChange(_ path: String) -> Int64 {
            var status = stat()
            return stat(path, &status) == 0 ? Int64(status.st_mtim.tv_sec) * 1000 : .max
        }
        return (Self.entries(path(folder)) ?? []).filter { name in
            guard !name.hasPrefix("."), let files = Self.entries("\(path(folder))/\(name)") else { return false }
            // The folder itself changes with each file that comes or goes.
            return (files.filter { $0 != ".." }).allSatisfy { lastChange("\(path(folder))/\(name)/\($0)") < time }
        }
    }

    /// The names in a directory, nil when it cannot be read.
    private static func entries(_ path: String) -> [String]? {
        guard let directory = opendir(path) else { return nil }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                })
        }
        return names
    }

    private func createFolder(of name: String) throws(TableError) {
        guard let root else { return }
        var folder = root
        for part in name.split(separator: "/").dropLast() {
            let parent = folder
            folder += "/" + part
            if mkdir(folder, 0o700) == 0 {
                try synchronizeFolder(parent)
            } else if errno != EEXIST {
                throw failure("create", folder, errno)
            }
        }
    }

    private func synchronizeFolder(of name: String) throws(TableError) {
        let file = path(name)
        try synchronizeFolder(String(file[..<(file.lastIndex(of: "/") ?? file.endIndex)]))
    }

    private func synchronizeFolder(_ path: String) throws(TableError) {
        let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open", path, errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("sync", path, errno) }
    }

    /// A file without a name, in the system's file system that is memory.
    private func memoryFile(_ name: String) throws(TableError) -> StoredFile {
        var template = Array("/dev/shm/table-XXXXXX".utf8CString)
        let descriptor = template.withUnsafeMutableBufferPointer { characters in
            guard let start = characters.baseAddress else { return Int32(-1) }
            let descriptor = mkstemp(start)
            if descriptor >= 0 { unlink(start) }
            return descriptor
        }
        guard descriptor >= 0 else { throw failure("create", "/dev/shm", errno) }
        return StoredFile(adopting: descriptor, path: path(name), calls)
    }

    private func failure(_ operation: String, _ path: String, _ code: Int32) -> TableError {
        .storage(StorageFailure(operation, path: path, errno: code))
    }
}
