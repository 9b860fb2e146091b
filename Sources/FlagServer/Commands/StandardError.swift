import Glibc

/// Where commands tell what is not their result.
enum StandardError {
    /// Writes a line, with the program's name in front.
    static func tell(_ line: String) {
        // Nothing can be told when standard error is gone.
        try? FileBytes.write(Array("flag-server: \(line)\n".utf8), to: STDERR_FILENO, path: "standard error")
    }
}
