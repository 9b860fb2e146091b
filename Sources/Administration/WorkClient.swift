import JSON

/// Who has work done that may take long, and whether it still waits for the end.
package struct WorkClient: Sendable {
    /// Who it is, for people: `anonymous from 127.0.0.1`, `local:root from process 4711`.
    package let name: String
    /// Whether it waits no longer. Asked between two steps of the work, from any thread: it must not block.
    package let hasLeft: @Sendable () -> Bool
    /// Takes what says how far the work is, from its begin; nil for who does not want to know.
    let follow: (@Sendable (@escaping @Sendable () -> JSONValue) -> Void)?

    /// A client.
    package init(
        name: String, hasLeft: @escaping @Sendable () -> Bool,
        follow: (@Sendable (@escaping @Sendable () -> JSONValue) -> Void)? = nil
    ) {
        self.name = name
        self.hasLeft = hasLeft
        self.follow = follow
    }
}
