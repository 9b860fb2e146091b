import Dispatch

/// What is made of the changes of a store: the part of a follower that knows what they mean.
///
/// A consumer stores how far it has come together with what it made of the changes, in one transaction or in one write:
/// after a crash it goes on there, and nothing is left out. It may get a change twice, never one that is missing.
///
/// Unless it says otherwise, the follower calls it on its queue, one call after the other; it may block there.
package protocol ChangeConsumer: Sendable {
    /// What a batch holds.
    associatedtype Content: Sendable
    /// Why something cannot be done now. Whatever is thrown is tried again: what can never be done is the consumer's to
    /// set aside.
    associatedtype Failure: Error

    /// How far it has come: asked whenever that may have changed, and from the start.
    var position: FollowerPosition { get }

    /// Looks at changes that were just committed. Called on the writer's queue: it must not block.
    ///
    /// - Returns: how many of them it must be woken for.
    func concern(of changes: [TableChange]) -> Int

    /// Makes ready what the position is stored in, and reads it. Called until it succeeds once.
    ///
    /// - Returns: the last change that was taken; nil when none was in this store.
    func storedPosition() throws(Failure) -> Int64?

    /// Called whenever it is looked whether there are changes.
    ///
    /// - Returns: where to go on, if not behind the changes that were taken last.
    func beginTurn() throws(Failure) -> Int64?

    /// The changes after a position that are to be taken together; nil when there are none.
    func batch(after position: Int64) throws(Failure) -> ChangeBatch<Content>?

    /// Makes of some changes what is to be made of them. When this returns, that is durable, or will be made again from
    /// the position that is stored.
    ///
    /// - Parameters:
    ///   - batch: the changes behind those that were taken last.
    ///   - storing: whether the position is to be stored with it. Not where nothing is to be made of the batch, since
    ///     storing is a change by itself, unless it has been long; and never while everything is looked at again: the
    ///     position from before that is the one that counts.
    func take(_ batch: ChangeBatch<Content>, storing: Bool) throws(Failure)

    /// Told when no more changes wait: does what was put off until now or has become due.
    ///
    /// - Parameters:
    ///   - now: the monotonic clock, in milliseconds.
    ///   - storing: whether the position may be stored.
    /// - Returns: after how many milliseconds it wants to be called again though nothing comes; nil when it need not.
    func rest(at now: Int64, storing: Bool) throws(Failure) -> Int?

    /// Asked when a turn came to its end: what cannot be done though the rest is. The follower tells it and goes on as
    /// if nothing were wrong; the consumer sees to it that it is tried again.
    ///
    /// - Returns: nil when nothing is wrong now.
    func shortfall() -> FollowerShortfall<Failure>?

    /// Does what was put off, now: nothing is left that only memory has.
    ///
    /// - Parameter storing: whether the position may be stored.
    func flush(storing: Bool) throws(Failure)

    /// Looks at everything again: the stream no longer has all changes behind its position, or what it follows was
    /// replaced as a whole. Called on a queue of its own, while changes are taken.
    ///
    /// - Parameter isCancelled: whether to give up; then it returns early.
    func sweep(isCancelled: () -> Bool) throws(Failure)

    /// Stores a position that stands for itself: everything has been looked at, changes up to there included.
    func store(_ position: Int64) throws(Failure)

    /// Told how each turn and each look at everything went: nil when nothing is wrong now.
    func note(_ failure: Failure?)

    /// The stream cannot be read.
    static func failure(_ error: TableError) -> Failure
}

extension ChangeConsumer {
    package func beginTurn() throws(Failure) -> Int64? { nil }
    package func rest(at now: Int64, storing: Bool) throws(Failure) -> Int? { nil }
    package func shortfall() -> FollowerShortfall<Failure>? { nil }
    package func flush(storing: Bool) throws(Failure) {}
    package func note(_ failure: Failure?) {}
}

extension ChangeConsumer where Failure == TableError {
    package static func failure(_ error: TableError) -> TableError { error }
}

/// Changes that are taken together.
package struct ChangeBatch<Content: Sendable>: Sendable {
    /// What they are.
    package let content: Content
    /// How many of them concern the consumer; none, where there are only others up to the last one.
    package let count: Int
    /// The last change of the store that was looked at for it: there is nothing else up to here.
    package let upTo: Int64

    /// Takes the parts as they are.
    package init(_ content: Content, count: Int, upTo: Int64) {
        self.content = content
        self.count = count
        self.upTo = upTo
    }
}

/// What of a consumer's work cannot be done, while the rest of it is.
package struct FollowerShortfall<Failure: Error>: Sendable {
    /// Why.
    package let failure: Failure
    /// Whether it has failed since this was told last; else it waits to be tried again.
    package let isNew: Bool

    /// Takes the parts as they are.
    package init(_ failure: Failure, isNew: Bool) {
        self.failure = failure
        self.isNew = isNew
    }
}

/// How far a consumer has come in the changes of a store.
package struct FollowerPosition: Sendable, Equatable {
    /// The last change that it has taken; `Int64.max` when none concerns it.
    package var taken: Int64
    /// The same as it is stored: whoever begins there needs the changes behind it.
    package var stored: Int64

    /// Takes the parts as they are.
    package init(taken: Int64, stored: Int64) {
        self.taken = taken
        self.stored = stored
    }

    /// Nothing is known: everything is needed.
    package static let unknown = FollowerPosition(taken: 0, stored: 0)
    /// Nothing is needed.
    package static let unconcerned = FollowerPosition(taken: .max, stored: .max)
}
