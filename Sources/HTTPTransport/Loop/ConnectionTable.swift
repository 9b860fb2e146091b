import Bytes

/// The connections of one loop, by slot. Each lies at a fixed address for the table's life.
struct ConnectionTable: ~Copyable {
    private static let chunkSize = 128

    private var chunks: [UnsafeMutablePointer<HTTPConnection>] = []
    private var free: [UInt32] = []
    /// Connections in use.
    private(set) var count = 0

    /// An empty table.
    init() {}

    deinit {
        for chunk in chunks {
            chunk.deinitialize(count: ConnectionTable.chunkSize)
            chunk.deallocate()
        }
    }

    /// Slots there are, in use or not.
    var slots: UInt32 { UInt32(chunks.count * ConnectionTable.chunkSize) }

    /// The connection at `slot`, in use or not.
    @inline(__always)
    subscript(slot: UInt32) -> UnsafeMutablePointer<HTTPConnection> {
        chunks[Int(slot) / ConnectionTable.chunkSize] + Int(slot) % ConnectionTable.chunkSize
    }

    /// The connection in use at `slot` that has this generation; nil when it is gone.
    @inline(__always)
    func find(slot: UInt32, generation: UInt32) -> UnsafeMutablePointer<HTTPConnection>? {
        let connection = self[slot]
        return connection.pointee.generation == generation && connection.pointee.descriptor >= 0 ? connection : nil
    }

    /// The connection that waits for the answer with this ticket; nil when nobody does any more.
    func find(slot: UInt32, ticket: UInt32) -> UnsafeMutablePointer<HTTPConnection>? {
        guard slot < slots else { return nil }
        let connection = self[slot]
        let phase = connection.pointee.machine.phase
        let isWaiting = connection.pointee.descriptor >= 0 && (phase == .answering || phase == .streaming)
        return isWaiting && connection.pointee.ticket == ticket ? connection : nil
    }

    /// The connection whose request waits under this ticket; nil when it does no more.
    func find(_ parked: ParkedRequest) -> UnsafeMutablePointer<HTTPConnection>? {
        guard parked.slot < slots else { return nil }
        let connection = self[parked.slot]
        let isWaiting = connection.pointee.descriptor >= 0 && connection.pointee.machine.phase == .parked
        return isWaiting && connection.pointee.ticket == parked.ticket ? connection : nil
    }

    /// Takes a free slot for `descriptor`.
    ///
    /// - Complexity: Amortised O(1).
    mutating func take(descriptor: Int32) -> UnsafeMutablePointer<HTTPConnection> {
        if free.isEmpty { grow() }
        let connection = self[free.removeLast()]
        connection.pointee.descriptor = descriptor
        connection.pointee.machine = ConnectionMachine()
        count += 1
        return connection
    }

    /// Gives a slot back, and with it the connection's buffers.
    mutating func release(_ connection: UnsafeMutablePointer<HTTPConnection>) {
        connection.pointee.descriptor = -1
        connection.pointee.generation &+= 1
        connection.pointee.ticket &+= 1
        connection.pointee.isReadable = false
        connection.pointee.hasEnd = false
        connection.pointee.isUnread = false
        connection.pointee.wasParked = false
        connection.pointee.droppedBytes = 0
        connection.pointee.session = nil
        connection.pointee.requestNumber = 0
        connection.pointee.givenName = []
        connection.pointee.attachedFields = nil
        connection.pointee.upload = nil
        connection.pointee.watch?.end()
        connection.pointee.watch = nil
        connection.pointee.stream?.close()
        connection.pointee.stream = nil
        connection.pointee.input.release()
        connection.pointee.output.release()
        free.append(connection.pointee.slot)
        count -= 1
    }

    private mutating func grow() {
        let first = slots
        let chunk = UnsafeMutablePointer<HTTPConnection>.allocate(capacity: ConnectionTable.chunkSize)
        for offset in 0..<ConnectionTable.chunkSize {
            (chunk + offset).initialize(to: HTTPConnection(slot: first + UInt32(offset)))
        }
        chunks.append(chunk)
        // Backwards, so that low slots are taken first.
        for offset in (0..<UInt32(ConnectionTable.chunkSize)).reversed() { free.append(first + offset) }
    }
}
