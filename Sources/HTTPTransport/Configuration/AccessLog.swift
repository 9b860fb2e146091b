import Bytes
import Synchronization

/// A response that was given, as the access log has it: nothing of what the client sent but its method.
package struct AccessRecord: Sendable {
    /// The method; nil where the head of the request was not read to its end.
    package let method: HTTPMethod?
    /// The number of the route that took the request; nil where none did.
    package let route: Int?
    package let status: UInt16
    /// Bytes of the response that were written; of one that comes in pieces, those of its head.
    package internal(set) var bytes: Int
    /// Microseconds from when the loop began with the request to its response.
    package let microseconds: Int64
    /// Where the request came from, by the word of trusted proxies.
    package let client: PeerAddress
    package let requestID: RequestID
}

/// Which responses are told of, and to whom. One for all event loops; what is told may be exchanged at any time.
package final class AccessLog: Sendable {
    /// Which responses are told of.
    package enum Scope: Sendable, Equatable {
        case off
        /// Those with a status of 400 and above.
        case errors
        case all
        /// One of so many, on each loop.
        case sample(of: Int)
    }

    /// -1 for errors, 0 for off, else of how many responses one is told of.
    private let number: Atomic<Int>
    private let tell: @Sendable (AccessRecord) -> Void

    /// - Parameter tell: told on the loops: it must not block.
    package init(_ scope: Scope, tell: @escaping @Sendable (AccessRecord) -> Void) {
        number = Atomic(Self.number(of: scope))
        self.tell = tell
    }

    /// Which responses are told of.
    package func replace(_ scope: Scope) { number.store(Self.number(of: scope), ordering: .relaxed) }

    private static func number(of scope: Scope) -> Int {
        switch scope {
        case .off: 0
        case .errors: -1
        case .all: 1
        case .sample(let count): max(1, count)
        }
    }

    /// Whether nothing is told of.
    @inline(__always)
    var isOff: Bool { number.load(ordering: .relaxed) == 0 }

    /// Whether a response is told of.
    ///
    /// - Parameter count: how many responses of the loop were not told of since the last that was.
    @inline(__always)
    func wants(_ status: HTTPStatus, _ count: inout Int) -> Bool {
        let number = number.load(ordering: .relaxed)
        if number <= 0 { return number < 0 && status.code >= 400 }
        count += 1
        guard count >= number else { return false }
        count = 0
        return true
    }

    func note(_ record: AccessRecord) { tell(record) }
}
