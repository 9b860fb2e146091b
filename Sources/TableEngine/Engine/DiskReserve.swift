import DynamoModel
import Glibc
import Platform
import Synchronization

/// Disk space that was set aside for the few writes that must succeed when no other can.
///
/// It is a file of real blocks beside the database. Where the disk is full, a write that is urgent is given a part of
/// it; all others are refused until there is space to make it whole again, so that they do not take what was given.
/// What others on the disk take of a part, leaves the parts after it.
///
/// File systems that compress (Btrfs, ZFS) may keep less for a file of zeros than its size: there it is worth less.
final class DiskReserve: @unchecked Sendable {
    // Proof for `@unchecked Sendable`: the descriptor never changes and is closed with the last reference; `left` is
    // atomic. The file's size is changed by the writer's queue only, and before anybody else knows the reserve.
    private let descriptor: Int32
    private let bytes: Int
    private let left: Atomic<Int>

    /// The file's name in the data directory.
    static let fileName = "reserve"
    /// How much is given at a time: several changes of one item each, with what the log and its index need for them.
    private static let partBytes = 256 << 10
    /// How much must be free beyond the reserve itself before it is made whole: a disk at its brim stays usable for
    /// what was refused, and is not taken and given in turns.
    private static let marginBytes = 1 << 20

    /// Opens the reserve of a data directory, and makes it whole if there is space.
    ///
    /// - Parameter bytes: its size when it is whole.
    /// - Throws: `storage` when its file cannot be opened.
    init(directory: String, bytes: Int) throws(TableError) {
        let path = "\(directory)/\(Self.fileName)"
        do throws(FileFault) {
            descriptor = try OwnFile.open(path, O_RDWR | O_CREAT)
        } catch {
            throw .storage(Self.failure(to: path, error))
        }
        self.bytes = bytes
        left = Atomic(0)
        refill()
    }

    private static func failure(to path: String, _ fault: FileFault) -> StorageFailure {
        let what = "cannot open \(path), the disk space that is kept for kill switches"
        switch fault {
        case .notAFile(let kind):
            return StorageFailure(
                kind: .cannotOpen, reason: "\(what): it is \(kind)", hint: "Nothing is stored in it: move it away")
        case .system(let code):
            let isFull = code == ENOSPC || code == EDQUOT
            return StorageFailure(
                kind: isFull ? .full : .cannotOpen, reason: "\(what): \(String(cString: strerror(code)))",
                hint: isFull ? "Free space on the device of \(path)" : "Nothing is stored in it: move it away")
        }
    }

    deinit { close(descriptor) }

    /// The bytes that are left of it.
    var leftBytes: Int { left.load(ordering: .relaxed) }

    /// Whether nothing of it is given away.
    var isWhole: Bool { leftBytes == bytes }

    /// Why writes that are not urgent are refused while it is not whole.
    var trouble: TableError {
        .storage(
            StorageFailure(
                kind: .full,
                reason: "the disk is full: the \(leftBytes >> 10) KiB that are left of what was set aside are for kill "
                    + "switches alone",
                hint: "Free space: \((bytes + Self.marginBytes) >> 20) MiB are needed to go on"))
    }

    /// Makes it whole if there is space.
    func refill() {
        var space = statvfs()
        guard fstatvfs(descriptor, &space) == 0 else { return }
        let allocated = allocatedBytes
        let isFree = Int(space.f_bavail) * Int(space.f_frsize) >= bytes - allocated + Self.marginBytes
        guard allocated >= bytes || isFree, posix_fallocate(descriptor, 0, bytes) == 0 else {
            // What was taken on the way to a failure is given back.
            setSize(min(allocated, bytes))
            return
        }
        setSize(bytes)
    }

    /// Gives a part of it back to the disk.
    ///
    /// - Returns: whether something was given: whoever needed it may try again.
    func giveUpPart() -> Bool {
        let before = leftBytes
        setSize(max(0, before - Self.partBytes))
        guard leftBytes < before else { return false }
        // Journaling file systems let nobody have freed blocks before they have noted that these are free.
        fsync(descriptor)
        return true
    }

    /// What the disk keeps for it; a file that was copied may be one of holes.
    private var allocatedBytes: Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return 0 }
        return min(Int(status.st_blocks) * 512, Int(status.st_size))
    }

    private func setSize(_ size: Int) {
        guard ftruncate(descriptor, off_t(size)) == 0 else { return }
        left.store(size, ordering: .relaxed)
    }
}
