import Synchronization

/// How many of all loops may do something large at once.
final class Places: Sendable {
    private let limit: Int
    private let taken = Atomic<Int>(0)

    init(limit: Int) {
        self.limit = limit
    }

    /// A place, or nil when all are taken.
    func take() -> Place? {
        guard taken.wrappingAdd(1, ordering: .relaxed).newValue <= limit else {
            giveBack()
            return nil
        }
        return Place(self)
    }

    fileprivate func giveBack() {
        taken.wrappingSubtract(1, ordering: .relaxed)
    }
}

/// One place; given back when nobody has it any more.
final class Place {
    private let places: Places

    fileprivate init(_ places: Places) {
        self.places = places
    }

    deinit {
        places.giveBack()
    }
}
