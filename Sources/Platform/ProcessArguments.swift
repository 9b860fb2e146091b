import CLinux
import Glibc

/// What the process was started with.
package enum ProcessArguments {
    /// The arguments behind the program's name.
    ///
    /// A program that is not told its own name was started in a way that tells nothing of its arguments either (an
    /// empty vector, execve(2)): it ends here with EX_OSERR, since to do what it does without arguments may be
    /// something quite different from what was meant.
    ///
    /// - Parameter program: the program's name, for the message.
    package static func required(by program: String) -> [String] {
        // `CLinux` has handed them to the runtime before anything else ran.
        guard CommandLine.argc > 0 else {
            let message = Array("\(program): its arguments cannot be known: start it with at least its own name\n".utf8)
            // Nothing can be told when standard error is gone.
            _ = write(STDERR_FILENO, message, message.count)
            exit(71)
        }
        return Array(CommandLine.arguments.dropFirst())
    }
}
