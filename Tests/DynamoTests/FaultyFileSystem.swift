import CSQLite
import Glibc
import Platform
import Testing

/// A file system under SQLite that fails, tears, delays and loses as told: for the database files of one directory,
/// and on every connection of this process to them.
///
/// What backups and logs write besides SQLite does not pass through it.
final class FaultyFileSystem: Sendable {
    /// What SQLite asks of a file system.
    enum Call: CaseIterable {
        case read, write, sync, truncate
        /// The mapping of the index of the write-ahead log, and of what it has grown by.
        case sharedMemory, grownSharedMemory
    }

    /// Which file it asks it of.
    enum File: CaseIterable { case database, log }

    /// What goes wrong, and when.
    struct Fault: Sendable {
        enum Effect: Sendable {
            /// Nothing is done, and SQLite is answered this code.
            case fail(Int32)
            /// Of what is read or written only the first half is, and SQLite is answered this code. `SQLITE_OK` is what
            /// a device that lies says, also of a sync that it does not do.
            case tear(Int32)
            /// The call is held up by this, and then done.
            case delay(@Sendable () -> Void)
        }

        var effect: Effect
        /// The kinds of calls that it strikes.
        var calls = Set(Call.allCases)
        /// The files that it strikes.
        var files = Set(File.allCases)
        /// How many such calls it lets pass before.
        var passing = 0
        /// How many it strikes then.
        var striking = Int.max
        /// It strikes, and counts, only while this holds. It is asked by whatever thread calls.
        var condition: @Sendable () -> Bool = { true }

        /// No space is left: every call that may need some fails.
        static let full = Fault(effect: .fail(SQLITE_FULL), calls: [.write])
        /// There is space for the log and none for its index: 19 is `SQLITE_IOERR_SHMSIZE`.
        static let fullForIndex = Fault(effect: .fail(SQLITE_IOERR | 19 << 8), calls: [.grownSharedMemory])
        /// Every sync fails, as on a failing device. 4 is `SQLITE_IOERR_FSYNC`, a macro that Swift does not import.
        static let unsynced = Fault(effect: .fail(SQLITE_IOERR | 4 << 8), calls: [.sync])
        /// Every read fails as SQLite says it of a device's `EIO`: 33 is `SQLITE_IOERR_CORRUPTFS`.
        static let unreadable = Fault(effect: .fail(SQLITE_IOERR | 33 << 8), calls: [.read])
    }

    /// The directory that the files are in.
    var path: String { directory.path }

    private let directory: TemporaryDirectory
    private let state = Locked(State())

    private struct State {
        var faults: [Fault] = []
        var struck = 0
        var platters: [String: Platter] = [:]
    }

    /// A file system of a new directory, without faults.
    init() throws {
        try #require(Self.isInPlace)
        directory = try TemporaryDirectory(prefix: "faulty")
        Self.systems.withLock { [self] in $0[path] = WeakSystem(system: self) }
    }

    deinit { Self.systems.withLock { [path] in $0[path] = nil } }

    /// From now on `fault` strikes, until `mend`. Of several faults the first that strikes a call does.
    func inject(_ fault: Fault) { state.withLock { $0.faults.append(fault) } }

    /// Ends all faults.
    ///
    /// - Returns: how many calls they have struck since the last time.
    @discardableResult
    func mend() -> Int {
        state.withLock { state in
            defer { (state.faults, state.struck) = ([], 0) }
            return state.struck
        }
    }

    /// Runs `body` while `fault` strikes.
    func whileFailing<Result>(_ fault: Fault, _ body: () throws -> Result) rethrows -> Result {
        inject(fault)
        defer { mend() }
        return try body()
    }
}

// MARK: - Loss of power

extension FaultyFileSystem {
    /// What is on the device, and what was written since the last sync and so may be there or not.
    private struct Platter {
        enum TableChange {
            case write(offset: Int, bytes: [UInt8])
            case truncate(size: Int)
        }

        var durable: [UInt8]
        var unsynced: [TableChange] = []

        mutating func apply(_ change: TableChange) {
            switch change {
            case .write(let offset, let bytes):
                let missing = offset + bytes.count - durable.count
                if missing > 0 { durable += [UInt8](repeating: 0, count: missing) }
                durable.replaceSubrange(offset..<offset + bytes.count, with: bytes)
            case .truncate(let size):
                durable.removeLast(max(0, durable.count - size))
            }
        }
    }

    /// What a loss of power at this moment would leave, in a directory of its own: everything that was synced, and of
    /// what was not, some writes wholly, some in part, in sectors of 512 bytes, and others not at all.
    func afterLossOfPower(using random: inout some RandomNumberGenerator) throws -> TemporaryDirectory {
        let left = try TemporaryDirectory()
        for (path, var platter) in state.withLock({ $0.platters }) {
            for change in platter.unsynced {
                switch (change, Int.random(in: 0..<4, using: &random)) {
                case (_, 0...1): platter.apply(change)
                case (.write(let offset, let bytes), 2):
                    let sectors = Int.random(in: 0...bytes.count / 512, using: &random)
                    platter.apply(.write(offset: offset, bytes: Array(bytes.prefix(sectors * 512))))
                default: break
                }
            }
            try DynamoTests.write(platter.durable, to: left.path + path.dropFirst(self.path.count))
        }
        return left
    }
}

// MARK: - Between SQLite and the system's files

extension FaultyFileSystem {
    /// An open file of a faulty file system.
    private final class OpenFile: Sendable {
        let system: FaultyFileSystem
        let path: String
        let kind: File

        init(_ system: FaultyFileSystem, _ path: String) {
            self.system = system
            self.path = path
            kind = path.hasSuffix("-wal") ? .log : .database
            let content = (try? DynamoTests.read(path)) ?? []
            system.state.withLock { state in
                if state.platters[path] == nil { state.platters[path] = Platter(durable: content) }
            }
        }

        /// Does a call, unless a fault strikes it.
        ///
        /// - Parameters:
        ///   - call: what is called.
        ///   - tear: does a part of it.
        ///   - body: does it.
        /// - Returns: what SQLite is answered.
        func perform(_ call: Call, tear: () -> Void = {}, _ body: () -> Int32) -> Int32 {
            switch system.strike(call, kind) {
            case .fail(let code):
                // Linux drops what it could not sync, and a later sync does not bring it to the device.
                if call == .sync { change { $0.unsynced = [] } }
                return Self.answer(code)
            case .tear(let code):
                tear()
                return Self.answer(code)
            case .delay(let wait):
                wait()
                return body()
            case nil:
                return body()
            }
        }

        /// `SQLITE_IOERR_SHMSIZE`, a macro that Swift does not import.
        private static let noRoomForIndex = SQLITE_IOERR | 19 << 8

        /// The code, with the error number that the system has with it.
        private static func answer(_ code: Int32) -> Int32 {
            switch code & 0xFF {
            case SQLITE_FULL: errno = ENOSPC
            case SQLITE_IOERR: errno = code == Self.noRoomForIndex ? ENOSPC : EIO
            default: break
            }
            return code
        }

        func change(_ body: @Sendable (inout Platter) -> Void) {
            system.state.withLock { [path] in body(&$0.platters[path, default: Platter(durable: [])]) }
        }
    }

    /// The effect of the fault that strikes a call, nil when none does.
    private func strike(_ call: Call, _ file: File) -> Fault.Effect? {
        state.withLock { state in
            for index in state.faults.indices {
                let fault = state.faults[index]
                guard fault.calls.contains(call), fault.files.contains(file), fault.condition() else { continue }
                guard fault.passing == 0 else {
                    state.faults[index].passing -= 1
                    continue
                }
                guard fault.striking > 0 else { continue }
                state.faults[index].striking -= 1
                state.struck += 1
                return fault.effect
            }
            return nil
        }
    }

    /// The methods that SQLite calls, and right behind them what they need.
    private struct Methods {
        var faulty: sqlite3_io_methods
        let original: UnsafePointer<sqlite3_io_methods>
        let file: OpenFile

        static func of(_ file: UnsafeMutablePointer<sqlite3_file>?) -> UnsafeMutablePointer<Methods> {
            UnsafeMutableRawPointer(mutating: UnsafeRawPointer(file!.pointee.pMethods))
                .assumingMemoryBound(to: Methods.self)
        }
    }

    private struct WeakSystem { weak let system: FaultyFileSystem? }

    /// The file systems by their directories.
    private static let systems = Locked<[String: WeakSystem]>([:])

    // Written once, before the file system is registered and so before anybody reads it.
    private nonisolated(unsafe) static var original: UnsafeMutablePointer<sqlite3_vfs>?

    /// Puts itself between SQLite and the system's files, once; files of other directories pass through.
    private static let isInPlace: Bool = {
        guard let original = sqlite3_vfs_find(nil) else { return false }
        FaultyFileSystem.original = original
        let faulty = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
        faulty.initialize(to: original.pointee)
        faulty.pointee.zName = UnsafePointer(strdup("faulty"))
        faulty.pointee.xOpen = { _, name, file, flags, answeredFlags in
            let original = FaultyFileSystem.original
            let status = original?.pointee.xOpen(original, name, file, flags, answeredFlags) ?? SQLITE_CANTOPEN
            if status == SQLITE_OK, let name, let file { wrap(file, String(cString: name)) }
            return status
        }
        faulty.pointee.xDelete = { _, name, syncsDirectory in
            let original = FaultyFileSystem.original
            let status = original?.pointee.xDelete(original, name, syncsDirectory) ?? SQLITE_IOERR
            if status == SQLITE_OK, let name {
                let path = String(cString: name)
                system(of: path)?.state.withLock { _ = $0.platters.removeValue(forKey: path) }
            }
            return status
        }
        return sqlite3_vfs_register(faulty, 1) == SQLITE_OK
    }()

    private static func system(of path: String) -> FaultyFileSystem? {
        guard let end = path.lastIndex(of: "/") else { return nil }
        return systems.withLock { $0[String(path[..<end])]?.system }
    }

    /// Puts other methods in the place of the system's, which live until the file is closed.
    private static func wrap(_ file: UnsafeMutablePointer<sqlite3_file>, _ path: String) {
        guard let system = system(of: path), let original = file.pointee.pMethods else { return }
        let methods = UnsafeMutablePointer<Methods>.allocate(capacity: 1)
        methods.initialize(
            to: Methods(faulty: original.pointee, original: original, file: OpenFile(system, path)))
        methods.pointee.faulty.xRead = { file, bytes, count, offset in
            let methods = Methods.of(file)
            func read() -> Int32 { methods.pointee.original.pointee.xRead(file, bytes, count, offset) }
            return methods.pointee.file.perform(
                .read,
                tear: {
                    _ = read()
                    memset(bytes! + Int(count) / 2, 0, Int(count) - Int(count) / 2)
                }, read)
        }
        methods.pointee.faulty.xWrite = { file, bytes, count, offset in
            let methods = Methods.of(file)
            func write(_ count: Int32) -> Int32 {
                let status = methods.pointee.original.pointee.xWrite(file, bytes, count, offset)
                let written = [UInt8](UnsafeRawBufferPointer(start: bytes, count: Int(count)))
                if status == SQLITE_OK {
                    methods.pointee.file.change { $0.unsynced.append(.write(offset: Int(offset), bytes: written)) }
                }
                return status
            }
            return methods.pointee.file.perform(.write, tear: { _ = write(count / 2) }, { write(count) })
        }
        methods.pointee.faulty.xTruncate = { file, size in
            let methods = Methods.of(file)
            return methods.pointee.file.perform(.truncate) {
                let status = methods.pointee.original.pointee.xTruncate(file, size)
                if status == SQLITE_OK {
                    methods.pointee.file.change { $0.unsynced.append(.truncate(size: Int(size))) }
                }
                return status
            }
        }
        methods.pointee.faulty.xSync = { file, flags in
            let methods = Methods.of(file)
            return methods.pointee.file.perform(.sync) {
                let status = methods.pointee.original.pointee.xSync(file, flags)
                if status == SQLITE_OK {
                    methods.pointee.file.change { platter in
                        for change in platter.unsynced { platter.apply(change) }
                        platter.unsynced = []
                    }
                }
                return status
            }
        }
        methods.pointee.faulty.xShmMap = { file, region, size, extends, address in
            let methods = Methods.of(file)
            return methods.pointee.file.perform(region == 0 ? .sharedMemory : .grownSharedMemory) {
                methods.pointee.original.pointee.xShmMap(file, region, size, extends, address)
            }
        }
        methods.pointee.faulty.xClose = { file in
            let methods = Methods.of(file)
            let original = methods.pointee.original
            file!.pointee.pMethods = original
            methods.deinitialize(count: 1)
            methods.deallocate()
            return original.pointee.xClose(file)
        }
        file.pointee.pMethods = UnsafeRawPointer(methods).assumingMemoryBound(to: sqlite3_io_methods.self)
    }
}
