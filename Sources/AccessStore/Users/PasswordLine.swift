import Dispatch
import Platform

/// Where work waits that computes digests of passwords: one at a time, so that no more than one takes their memory and
/// no more than one core is busy with them, and on a queue of its own, so that nothing else waits behind them.
///
/// How much may wait is bounded, in all and from each address: whoever comes too late is told to come back.
package final class PasswordLine: Sendable {
    /// Who waits.
    package enum Origin: Sendable {
        /// Somebody who has come in, or the machine itself.
        case caller
        /// Somebody who wants to come in, by what their address is counted by.
        case stranger(UInt64)
    }

    /// How much may wait or run at once: some seconds of work.
    private static let places = 16
    /// What strangers leave to others of that.
    private static let placesOfStrangers = 12
    /// What those at one address leave to others of that.
    private static let placesOfAddress = 4

    private struct Waiting {
        var count = 0
        var strangers: [UInt64: Int] = [:]

        var strangerCount: Int { strangers.values.reduce(0, +) }
    }

    private let queue = DispatchQueue(label: "flag-server.passwords")
    private let waiting = Locked(Waiting())

    /// A line in which nobody waits.
    package init() {}

    /// How much waits or runs.
    package var waitingCount: Int { waiting.withLock { $0.count } }

    /// Runs a job when its turn comes, or returns false at once when too many wait.
    package func submit(_ origin: Origin, _ job: @escaping @Sendable () -> Void) -> Bool {
        let isTaken = waiting.withLock { waiting -> Bool in
            guard waiting.count < Self.places else { return false }
            if case .stranger(let address) = origin {
                guard waiting.strangerCount < Self.placesOfStrangers,
                    waiting.strangers[address, default: 0] < Self.placesOfAddress
                else { return false }
                waiting.strangers[address, default: 0] += 1
            }
            waiting.count += 1
            return true
        }
        guard isTaken else { return false }
        queue.async { [self] in
            job()
            waiting.withLock { waiting in
                waiting.count -= 1
                guard case .stranger(let address) = origin else { return }
                let left = waiting.strangers[address, default: 1] - 1
                waiting.strangers[address] = left > 0 ? left : nil
            }
        }
        return true
    }
}
