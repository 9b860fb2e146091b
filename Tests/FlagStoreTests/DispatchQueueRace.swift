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

/// Threads that were started and go on by themselves.
struct DispatchQueueRaceHandle {
    private let group: DispatchGroup

    /// Starts `body` with 0 up to `count`, each on a thread of its own.
    static func start(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) -> DispatchQueueRaceHandle {
        let group = DispatchGroup()
        for number in 0..<count {
            DispatchQueue(label: "race-\(number)").async(group: group) { body(number) }
        }
        return DispatchQueueRaceHandle(group: group)
    }

    /// Whether all have ended.
    var areDone: Bool { group.wait(timeout: .now()) == .success }

    /// Waits until all have ended.
    func wait() { group.wait() }
}
