import Dispatch

/// Runs something on several threads at the same time.
enum DispatchQueueRace {
    /// Calls `body` with 0 up to `count`, each on a thread of its own, and waits for all.
    static func run(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
        let group = DispatchGroup()
        for number in 0..<count {
            DispatchQueue(label: "race-\(number)").async(group: group) { body(number) }
        }
        group.wait()
    }
}
