import Synchronization

/// What the content of requests for one path may have beyond that of others: a file that somebody sends.
package struct HTTPUpload: Sendable, Equatable {
    /// The path, without anything percent-encoded.
    package let path: StaticString
    /// Bytes of content, in place of `HTTPLimits.bodyBytes`; more is 413.
    package let bytes: Int
    /// For the whole content, in place of `HTTPTimeouts.body`; then 408.
    package let time: Duration

    /// An allowance for `path`.
    package init(path: StaticString, bytes: Int, time: Duration) {
        self.path = path
        self.bytes = bytes
        self.time = time
    }

    package static func == (left: HTTPUpload, right: HTTPUpload) -> Bool {
        left.path.description == right.path.description && left.bytes == right.bytes && left.time == right.time
    }
}

/// How many uploads of all loops are under way.
final class UploadPlaces: Sendable {
    private let limit: Int
    private let taken = Atomic<Int>(0)

    init(limit: Int) {
        self.limit = limit
    }

    /// A place, or nil when all are taken.
    func take() -> UploadPlace? {
        guard taken.wrappingAdd(1, ordering: .relaxed).newValue <= limit else {
            giveBack()
            return nil
        }
        return UploadPlace(self)
    }

    fileprivate func giveBack() {
        taken.wrappingSubtract(1, ordering: .relaxed)
    }
}

/// One upload's place; given back when nobody has it any more.
final class UploadPlace {
    private let places: UploadPlaces

    fileprivate init(_ places: UploadPlaces) {
        self.places = places
    }

    deinit {
        places.giveBack()
    }
}
