import Synchronization

/// How many of all loops may do something large at once.
final class Permits: Sendable {
    private let limit: Int
    private let taken = Atomic<Int>(0)

    init(limit: Int) {
        self.limit = limit
    }

    /// A permit, or nil when all are taken.
    func take() -> Permit? {
        guard taken.wrappingAdd(1, ordering: .relaxed).newValue <= limit else {
            giveBack()
            return nil
        }
        return Permit(self)
    }

    fileprivate func giveBack() {
        taken.wrappingSubtract(1, ordering: .relaxed)
    }
}

/// One permit; given back when nobody has it any more.
final class Permit {
    private let permits: Permits

    fileprivate init(_ permits: Permits) {
        self.permits = permits
    }

    deinit {
        permits.giveBack()
    }
}
