import Synchronization

/// How many of all loops may do something large at once.
final class Permits: Sendable {
    private let limit: Int
    private let taken = Atomic<Int>(0)

    init(limit: Int) {
        self.limit = limit
    }

    /// A place, or nil when all are taken.
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

/// One place; given back when nobody has it any more.
final class Permit {
    private let places: Permits

    fileprivate init(_ places: Permits) {
        self.places = places
    }

    deinit {
        places.giveBack()
    }
}
