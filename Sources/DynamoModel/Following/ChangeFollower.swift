import Dispatch
import Platform

/// Follows the changes of a store, whoever makes them, and has a consumer make of them what is to be made.
///
/// - Changes are taken in order, in batches, each once the one before is done. How far that has come is stored by the
///   consumer together with what it made of them; the store keeps what comes behind it (`FollowerProgress`).
/// - What fails is tried again, after pauses that become longer. Whoever commits does not wait for any of that. What a
///   consumer falls short of in a part of its work only, it tries again by itself: the follower keeps its pace.
/// - Where the stream does not reach back to the position, or there is none, changes are followed from now on, and the
///   consumer looks at everything beside. Until that is done no position is stored: after a crash it begins again.
package final class ChangeFollower<Consumer: ChangeConsumer>: Sendable {
    /// What is made of the changes.
    package let consumer: Consumer
    /// How far it has come.
    package let progress: FollowerProgress
    /// Where the consumer is called.
    package let queue: DispatchQueue
    /// Looking at everything takes long, and changes must not wait for it.
    let sweeps: DispatchQueue
    let changes: any TableChanges
    let timing: FollowerTiming
    let state = Locked(State())

    struct State: Sendable {
        var isStopped = false
        /// Whether a turn will come that takes what waits.
        var isScheduled = false
        /// The retry that is waited for: until it comes, nothing else wakes the follower.
        var retry: Int?
        var retries = 0
        /// How many turns failed one after the other.
        var failedTurns = 0
        /// When the consumer wants to be called though nothing comes.
        var restAt: Int64?
        /// Whether it is known where to go on.
        var hasBegun = false
        /// The last change when the follower was attached: those behind it are delivered.
        var attachedAt: Int64 = 0
        /// The last change that was taken.
        var position: Int64 = 0
        var sweep = SweepState()
        /// What is wrong now.
        var failure: Consumer.Failure?
    }

    /// A follower that has not begun.
    ///
    /// - Parameters:
    ///   - name: what it is called: of two with one name in a store, the one that was attached last counts.
    ///   - changes: what it follows.
    ///   - consumer: what is made of the changes.
    ///   - queue: a serial queue, on which the consumer is called.
    ///   - timing: how it waits.
    package init(
        _ name: String, of changes: any TableChanges, _ consumer: Consumer, on queue: DispatchQueue,
        timing: FollowerTiming = FollowerTiming()
    ) {
        self.changes = changes
        self.consumer = consumer
        self.queue = queue
        self.timing = timing
        sweeps = DispatchQueue(label: "\(queue.label).sweep")
        progress = FollowerProgress(name, stored: consumer.position.stored, now: timing.now)
    }

    /// Is told of changes from now on, and has the store keep what it needs. To be called once.
    package func attach() {
        state.withLock { $0.attachedAt = changes.lastSequence }
        changes.attach(progress)
        changes.subscribe { [weak self] changes in self?.note(changes) }
    }

    /// Takes what waits; returns at once.
    package func wake() {
        let mustWake = state.withLock { state in
            guard !state.isStopped, !state.isScheduled, state.retry == nil else { return false }
            state.isScheduled = true
            return true
        }
        if mustWake {
            call(after: timing.gatherMilliseconds) { follower in
                let mayRun = follower.state.withLock { state in
                    state.isScheduled = false
                    return !state.isStopped && state.retry == nil
                }
                if mayRun { try? follower.turn() }
            }
        }
    }

    /// Takes what waits, on the caller's time. On the queue.
    package func turn() throws(Consumer.Failure) {
        dispatchPrecondition(condition: .onQueue(queue))
        do throws(Consumer.Failure) {
            defer { progress.note(consumer.position) }
            try follow()
        } catch {
            settle(error)
            throw error
        }
        settle(nil)
    }

    /// Takes no more changes, waits for the batch under way, and has stored what was put off. What was not taken is
    /// taken after the next start. Blocks.
    ///
    /// - Parameter taking: whether what waits now is taken before.
    package func stop(taking: Bool = false) {
        if taking { queue.sync { try? turn() } }
        state.withLock { $0.isStopped = true }
        flush()
        sweeps.sync {}
    }

    /// Waits until everything is taken that was committed before the call, and stored what was put off.
    package func waitUntilIdle() {
        queue.sync {}
        sweeps.sync {}
        flush()
    }

    private func flush() {
        queue.sync {
            // What cannot be stored now is made again from the position that is.
            try? consumer.flush(storing: isStoring)
            progress.note(consumer.position)
        }
    }

    /// Does something on the queue after a while, if the follower is still there.
    func call(after milliseconds: Int, _ body: @escaping @Sendable (ChangeFollower) -> Void) {
        let call: @Sendable () -> Void = { [weak self] in
            if let self { body(self) }
        }
        if milliseconds == 0 { queue.async(execute: call) } else { timing.delay.call(milliseconds, queue, call) }
    }
}

// MARK: - Turns

extension ChangeFollower {
    /// Takes notice of the changes of one commit. On the writer's queue.
    private func note(_ changes: [TableChange]) {
        guard let last = changes.last else { return }
        let count = consumer.concern(of: changes)
        if count > 0 { progress.noteCommit(of: count, upTo: last.sequence) }
        if count > 0 || last.sequence - timing.passedMaximum >= progress.firstNeeded { wake() }
    }

    private func follow() throws(Consumer.Failure) {
        if !state.withLock({ $0.hasBegun }) { try begin() }
        var position = state.withLock { $0.position }
        if let start = try consumer.beginTurn() { position = start }
        while let batch = try consumer.batch(after: position) {
            guard !state.withLock({ $0.isStopped }) else { return }
            let isWorthIt = batch.count > 0 || batch.upTo - timing.passedMaximum > consumer.position.stored
            try consumer.take(batch, storing: isStoring && isWorthIt)
            position = max(position, batch.upTo)
            state.withLock { [position] state in state.position = position }
            progress.note(consumer.position)
        }
        if let milliseconds = try consumer.rest(at: timing.now(), storing: isStoring) { rest(milliseconds) }
    }

    /// Whether positions are stored: not while everything is looked at again.
    private var isStoring: Bool { !state.withLock { $0.sweep.isDue } }

    /// Finds out where to go on.
    private func begin() throws(Consumer.Failure) {
        var start = try consumer.storedPosition()
        if let position = start, !(try reachesBack(to: position)) { start = nil }
        let (last, attachedAt) = (changes.lastSequence, state.withLock { $0.attachedAt })
        state.withLock { state in
            state.hasBegun = true
            state.position = start ?? last
        }
        guard let start else {
            progress.note(FollowerPosition(taken: last, stored: consumer.position.stored))
            return sweep(from: last)
        }
        if start < attachedAt { noteEarlier(after: start, upTo: attachedAt) }
    }

    private func reachesBack(to position: Int64) throws(Consumer.Failure) -> Bool {
        do { return try changes.reachesBack(to: position) } catch { throw Consumer.failure(error) }
    }

    /// Notes what was committed before the follower was attached.
    private func noteEarlier(after position: Int64, upTo last: Int64) {
        // What cannot be read is as old as the process.
        let first = try? changes.changes(after: position, limit: 1).first
        progress.noteEarlier(
            Int(last - position), upTo: last, age: first.map { timing.wall() - $0.committedAt } ?? 0)
    }

    /// The consumer wants to be called again in so many milliseconds.
    private func rest(_ milliseconds: Int) {
        let due = timing.now() + Int64(milliseconds)
        let isNews = state.withLock { state in
            if let restAt = state.restAt, restAt <= due { return false }
            state.restAt = due
            return true
        }
        guard isNews else { return }
        call(after: milliseconds) { follower in
            let mayRun = follower.state.withLock { state in
                if state.restAt == due { state.restAt = nil }
                return !state.isStopped && state.retry == nil
            }
            if mayRun { try? follower.turn() }
        }
    }

    /// Notes how a turn went, and tries again in a while where it failed. On the queue.
    private func settle(_ failure: Consumer.Failure?) {
        let shortfall = failure == nil ? consumer.shortfall() : nil
        if failure != nil || shortfall?.isNew == true { progress.noteFailure() }
        let pause = state.withLock { state -> (id: Int, milliseconds: Int)? in
            state.failure = failure ?? shortfall?.failure
            guard failure != nil else {
                (state.failedTurns, state.retry) = (0, nil)
                return nil
            }
            guard state.retry == nil, !state.isStopped else { return nil }
            state.failedTurns += 1
            state.retries += 1
            state.retry = state.retries
            return (state.retries, timing.pause(afterFailures: state.failedTurns))
        }
        report()
        guard let pause else { return }
        call(after: pause.milliseconds) { follower in
            let isDue = follower.state.withLock { state in
                guard !state.isStopped, state.retry == pause.id else { return false }
                state.retry = nil
                return true
            }
            if isDue { try? follower.turn() }
        }
    }

    /// Tells the consumer what is wrong at the moment. On the queue.
    func report() {
        let failure = state.withLock { $0.failure ?? $0.sweep.failure }
        consumer.note(failure)
    }
}
