import DynamoModel
import FoundationEssentials
import Glibc
import Platform
import TableEngine

/// What is found in a data directory before anything in it is opened: who else can get at it, and whether what stands
/// there can be what was stored. Writes nothing.
///
/// | found | what becomes of it |
/// |---|---|
/// | others can change the directory, or enter it and change something in it | refused |
/// | others can read the names in it, or enter it | a warning |
/// | a folder of it is a link | refused |
/// | something else than a file in the place of a file of the database | refused |
/// | no database, or an empty one, beside what belongs to one | refused: nothing begins anew there by itself |
struct DataDirectoryInspection {
    /// The directory, without links.
    let path: String
    private let status: FileStatus

    /// The names under which the database's content stands.
    private static let database = SQLiteTableStore.fileName
    private static let log = "\(database)-wal"
    private static let logIndex = "\(database)-shm"
    /// What keeps two processes from writing the same logs of continuous backups.
    private static let logLock = "continuous/lock"
    /// The folders in which something is kept that may be all that is left of a table.
    private static let folders = ["backups", "continuous"]

    /// Looks at the directory alone.
    init(of path: String) throws(DataDirectoryError) {
        self.path = path
        do throws(FileFault) { status = try FileStatus(of: path) } catch {
            throw .unusable(path: path, reason: "cannot be read: \(error)")
        }
        guard !status.othersCanWrite else {
            throw .unusable(
                path: path,
                reason: "can be changed by others than its owner (its permissions are \(status.octalPermissions)), who "
                    + "could put anything in the place of what is stored: run chmod go-w \(shellQuoted(path))")
        }
    }

    /// Looks at what is in the directory.
    ///
    /// - Parameter command: what this process is: one that makes a store where there is none must not take an old one
    ///   whose file is gone for that.
    /// - Returns: what others can see, with what to do; nil when nobody sees anything.
    func check(for command: String) throws(DataDirectoryError) -> String? {
        let exposed = try checkNames()
        try checkDatabase(command)
        guard status.othersCanEnter || status.othersCanRead else { return nil }
        let files = exposed.isEmpty ? "" : " and read \(exposed[0]) in it" + Self.others(exposed.count - 1)
        return
            "others can look into the data directory \(path) (its permissions are \(status.octalPermissions))\(files): "
            + "run chmod go-rwx \(shellQuoted(path)); under systemd, set StateDirectoryMode=0700"
    }

    private static func others(_ count: Int) -> String {
        count == 0 ? "" : ", and \(count == 1 ? "another file" : "\(count) other files")"
    }

    /// Looks at every name in the directory. O(files).
    ///
    /// - Returns: the files that others can read.
    private func checkNames() throws(DataDirectoryError) -> [String] {
        var exposed: [String] = []
        // What cannot be read is told by whoever opens it.
        for name in ((try? FileManager.default.subpathsOfDirectory(atPath: path)) ?? []).sorted() {
            guard let status = try? FileStatus(of: "\(path)/\(name)") else { continue }
            let depth = name.split(separator: "/").count
            if status.isLink, Self.folders.contains(where: { name == $0 || name.hasPrefix("\($0)/") && depth == 2 }),
                let target = try? FileStatus(of: "\(path)/\(name)", followingLinks: true), target.isDirectory
            {
                throw .unusable(
                    path: path,
                    reason: "cannot be used: \(path)/\(name) is a symbolic link, and none is followed there: put the "
                        + "folder itself in its place (another disk can be mounted on it)")
            }
            guard self.status.othersCanEnter, !status.isLink else { continue }
            if status.othersCanWrite {
                throw .unusable(
                    path: path,
                    reason: "cannot be used: \(path)/\(name) can be changed by others than its owner (its permissions "
                        + "are \(status.octalPermissions)): run chmod -R go-w \(shellQuoted(path))")
            }
            if status.isRegular, status.othersCanRead { exposed.append(name) }
        }
        return exposed
    }

    private func checkDatabase(_ command: String) throws(DataDirectoryError) {
        let (database, log) = (try file(Self.database), try file(Self.log))
        _ = try file(Self.logIndex)
        _ = try file(Self.logLock)
        guard database?.size ?? 0 == 0 else {
            do throws(TableError) { try SQLiteTableStore.checkFiles(in: path) } catch {
                throw .unusable(path: path, reason: "is not whole: \(error)")
            }
            return
        }
        let what = database == nil ? "is gone" : "is empty"
        if let log, log.size > 0 {
            throw lost("\(what), and \(path)/\(Self.log), which holds the last writes to it, is there")
        }
        // To make a table from a file is what is done after such a loss, in this very directory perhaps.
        if command == RestoreCommand.name { return }
        for folder in Self.folders {
            let names = (try? FileManager.default.subpathsOfDirectory(atPath: "\(path)/\(folder)")) ?? []
            guard let kept = names.sorted().first(where: { $0.hasSuffix(".backup") || $0.hasSuffix(".image") }) else {
                continue
            }
            throw lost("\(what), and \(path)/\(folder)/\(kept), which is of tables that it held, is there")
        }
    }

    private func lost(_ what: String) -> DataDirectoryError {
        .unusable(
            path: path,
            reason:
                "is not whole: \(path)/\(Self.database) \(what). Put the file back if it was moved; else keep a copy "
                + "of the directory, and restore the last backup: flag-server restore FILE.backup --create "
                + "--data-dir NEW")
    }

    /// What stands under the name of a file of the database; nil when nothing does.
    private func file(_ name: String) throws(DataDirectoryError) -> FileStatus? {
        guard let status = try? FileStatus(of: "\(path)/\(name)") else { return nil }
        guard status.isRegular else {
            let remedy =
                [Self.logIndex, Self.logLock].contains(name)
                ? "move it away; the file is made anew"
                : "put the file itself there; if it is lost, restore the last backup: flag-server restore FILE.backup "
                    + "--create --data-dir NEW"
            throw .unusable(
                path: path, reason: "is not whole: \(path)/\(name) is \(status.kind), and must be a file: \(remedy)")
        }
        return status
    }
}
