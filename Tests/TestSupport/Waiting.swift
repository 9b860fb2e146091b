import Glibc

/// Something that a test needs went wrong.
package struct TestFailure: Error, CustomStringConvertible {
    package let description: String

    /// A failure that says what went wrong.
    package init(_ description: String) { self.description = description }
}

/// Waits for a condition; false when it does not hold within 20 s.
///
/// Blocks: what a test waits for is done by other threads than those of the tests.
package func eventually(_ condition: () throws -> Bool) rethrows -> Bool {
    let deadline = ContinuousClock.now + .seconds(20)
    while try !condition() {
        guard ContinuousClock.now < deadline else { return false }
        usleep(500)
    }
    return true
}

/// Waits for a condition.
///
/// - Throws: a failure when it does not hold within 20 s.
package func waitUntil(_ condition: () throws -> Bool) throws {
    guard try eventually(condition) else { throw TestFailure("the condition was not met within 20 s") }
}
