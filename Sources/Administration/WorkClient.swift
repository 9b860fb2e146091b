/// Who has work done that may take long, and whether it still waits for the end.
package struct WorkClient: Sendable {
    /// Who it is, for people: `anonymous from 127.0.0.1`, `process 4711 of user 0`.
    package let name: String
    /// Whether it waits no longer. Asked between two steps of the work, from any thread: it must not block.
    package let hasLeft: @Sendable () -> Bool

    /// A client.
    package init(name: String, hasLeft: @escaping @Sendable () -> Bool) {
        self.name = name
        self.hasLeft = hasLeft
    }

    /// A command that does the work itself, and would end with it.
    package static let thisProcess = WorkClient(name: "this command") { false }
}
