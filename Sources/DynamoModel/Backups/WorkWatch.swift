/// Whoever watches long work on a table: may have it given up, and is told how far it is.
package struct WorkWatch: Sendable {
    /// Asked now and then whether to give up. From any thread; must be quick.
    package let isCancelled: @Sendable () -> Bool
    /// Told that so many items are to be done, beside those that were told before.
    package let expect: @Sendable (Int) -> Void
    /// Told that so many more items are done.
    package let note: @Sendable (Int) -> Void

    /// Somebody who watches.
    package init(
        isCancelled: @escaping @Sendable () -> Bool, expect: @escaping @Sendable (Int) -> Void = { _ in },
        note: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
        self.isCancelled = isCancelled
        self.expect = expect
        self.note = note
    }

    /// Nobody: the work goes on to its end.
    package static let nobody = WorkWatch(isCancelled: { false })

    /// The same, with another reason to give up.
    package func orCancelled(by other: @escaping @Sendable () -> Bool) -> WorkWatch {
        WorkWatch(isCancelled: { [isCancelled] in other() || isCancelled() }, expect: expect, note: note)
    }
}
