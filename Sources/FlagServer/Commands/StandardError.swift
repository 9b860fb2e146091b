import Glibc
import Platform

/// Where commands tell what is not their result.
enum StandardError {
    private static let told = Locked<Set<String>>([])

    /// Writes a line, with the program's name in front.
    static func tell(_ line: String) { write("flag-server: \(line)\n") }

    /// The same of what is to be told once, however often it comes up.
    static func tellOnce(_ line: String) {
        if told.withLock({ $0.insert(line).inserted }) { tell(line) }
    }

    /// Writes a text as it is.
    static func write(_ text: String) {
        // Nothing can be told when standard error is gone.
        try? FileBytes.write(Array(text.utf8), to: STDERR_FILENO, path: "standard error")
    }
}
