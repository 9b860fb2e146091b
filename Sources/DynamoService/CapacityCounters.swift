import DynamoModel
import Platform

/// Counts what requests took of each table and index since the start, for the operator to see.
package final class CapacityCounters: Sendable {
    /// A table, or one of its indexes.
    package struct Subject: Hashable, Sendable {
        /// The table.
        package let table: String
        /// The index, nil for the table itself.
        package let index: String?
    }

    /// What was taken.
    package struct Units: Sendable, Equatable {
        /// Read capacity units.
        package var read = 0.0
        /// Write capacity units.
        package var write = 0.0
    }

    private let counts = Locked<[Subject: Units]>([:])

    /// Counters that have counted nothing.
    package init() {}

    /// Adds what a request took.
    func count(_ capacity: ConsumedCapacity) {
        counts.withLock { counts in
            Self.add(capacity.tableHalves, capacity.kind, Subject(table: capacity.table, index: nil), to: &counts)
            for (name, _, halves) in capacity.indexHalves {
                Self.add(halves, capacity.kind, Subject(table: capacity.table, index: name), to: &counts)
            }
        }
    }

    /// Everything counted, sorted by table and index.
    package var all: [(subject: Subject, units: Units)] {
        counts.withLock { $0 }
            .sorted { ($0.key.table, $0.key.index ?? "") < ($1.key.table, $1.key.index ?? "") }
            .map { ($0.key, $0.value) }
    }

    private static func add(
        _ halves: Int, _ kind: ConsumedCapacity.Kind, _ subject: Subject, to counts: inout [Subject: Units]
    ) {
        guard halves > 0 else { return }
        switch kind {
        case .read: counts[subject, default: Units()].read += Double(halves) / 2
        case .write: counts[subject, default: Units()].write += Double(halves) / 2
        }
    }
}
