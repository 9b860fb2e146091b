import ChangeControl
import Dispatch
import FlagCore
import FlagStore
import Logging

/// Once a minute ends proposals that nobody has decided in time, lets go of what ended long ago, and, first of all,
/// goes on with what was begun before a stop.
final class ProposalUpkeep: Sendable {
    private static let pause = DispatchTimeInterval.seconds(60)

    private let desk: ProposalDesk
    private let freezes: FreezeStore
    private let logger: Logger
    private let now: @Sendable () -> Timestamp
    private let queue = DispatchQueue(label: "flag-server.proposals")

    init(
        _ desk: ProposalDesk, _ freezes: FreezeStore, logger: Logger,
        now: @escaping @Sendable () -> Timestamp = { .systemClock }
    ) {
        self.desk = desk
        self.freezes = freezes
        self.logger = logger
        self.now = now
    }

    /// Begins, as long as this is kept.
    func start() {
        queue.async { [weak self] in self?.goOn() }
    }

    /// Returns when nothing is being done any more. What is under way is done first.
    func stop() { queue.sync {} }

    private func goOn() {
        desk.tidy()
        do throws(FreezeError) { try freezes.forgetEnded(at: now()) } catch {
            logger.warning("freezes that ended long ago cannot be deleted", metadata: ["error": "\(error)"])
        }
        queue.asyncAfter(deadline: .now() + Self.pause) { [weak self] in self?.goOn() }
    }
}
