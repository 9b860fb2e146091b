import Glibc

/// Where commands tell what is not their result.
enum StandardError {
    /// Writes a line, with the program's name in front.
    static func tell(_ line: String) { write("flag-server: \(line)\n") }

    /// Writes a text as it is.
    static func write(_ text: String) {
        // Nothing can be told when standard error is gone.
        try? FileBytes.write(Array(text.utf8), to: STDERR_FILENO, path: "standard error")
    }
}
