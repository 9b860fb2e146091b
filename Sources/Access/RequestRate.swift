/// So many requests in so many seconds.
package struct RequestRate: Sendable, Equatable {
    /// The requests, 1 or more.
    package let requests: Int
    /// The seconds, 1 or more.
    package let seconds: Int
    /// How long one request takes of the whole, in microseconds, at least 1.
    let intervalMicroseconds: Int64
    let windowMicroseconds: Int64

    /// What is expected, for messages.
    package static let expectation = "a whole number of requests by time, as in 100/min, 10000/s or 5000/h"
    private static let units: [(name: String, seconds: Int)] = [("s", 1), ("min", 60), ("h", 3600)]
    /// More than a machine answers.
    private static let most = 1_000_000

    /// A rate of 1 to a million requests.
    package init(requests: Int, seconds: Int) {
        precondition((1...Self.most).contains(requests) && seconds >= 1, "a rate is of requests by time")
        self.requests = requests
        self.seconds = seconds
        windowMicroseconds = Int64(seconds) * 1_000_000
        intervalMicroseconds = max(1, windowMicroseconds / Int64(requests))
    }

    /// Reads `100/min`; nil for anything else.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, parts[0].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let requests = Int(parts[0]), (1...Self.most).contains(requests),
            let unit = Self.units.first(where: { $0.name == parts[1] })
        else { return nil }
        self.init(requests: requests, seconds: unit.seconds)
    }

    /// As it is written.
    package var text: String {
        let unit = Self.units.first { $0.seconds == seconds }
        return "\(requests)/\(unit?.name ?? "\(seconds)s")"
    }
}
