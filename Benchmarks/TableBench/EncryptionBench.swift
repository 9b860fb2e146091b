import DynamoModel
import Glibc
import TableEngine

/// What encryption costs those who write: an encrypted store and one that is not, in turns on the same disk, so that
/// whatever else the machine does meets both.
struct EncryptionBench {
    let directory: String

    private static let rounds = 5

    init(_ directory: String) throws { self.directory = directory }

    /// Puts single items for so many seconds into each store, in rounds: one after the other, and 64 at a time.
    func run(seconds: Int) throws -> Figures {
        let key = AtRestKey([UInt8](repeating: 7, count: AtRestKey.byteCount))
        let plain = try EngineBench(try folder("plain"), keys: .none)
        let encrypted = try EngineBench(try folder("encrypted"), keys: AtRestKeys(current: key))
        let stores = [("plain", plain), ("encrypted", encrypted)]
        var figures = Figures()
        for inFlight in [1, 64] {
            var sums: [String: Double] = [:]
            for round in 0..<Self.rounds {
                // A table of its own: none is written to that is larger than the other store's.
                let table = "bench-\(inFlight)-\(round)"
                // Whoever comes first in one round comes second in the next.
                for (name, bench) in round.isMultiple(of: 2) ? stores : stores.reversed() {
                    try bench.store.createTable(BenchItems.schema(named: table))
                    sums[name, default: 0] += try bench.puts(
                        inFlight, into: table, seconds: max(1, seconds / Self.rounds))
                }
            }
            for (name, sum) in sums { figures["\(name)\(inFlight)"] = sum / Double(Self.rounds) }
        }
        for (_, bench) in stores { bench.store.close() }
        return figures
    }

    private func folder(_ name: String) throws -> String {
        let path = "\(directory)/\(name)"
        guard mkdir(path, 0o700) == 0 else { throw Missing(what: path) }
        return path
    }
}
