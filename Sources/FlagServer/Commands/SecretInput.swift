import Glibc

/// Asks somebody for what nobody else is to see: on a terminal without showing what is typed, else from standard input,
/// a line each.
enum SecretInput {
    /// More than any password has.
    private static let bytes = 4096

    /// Asks, and reads a line.
    ///
    /// - Parameter question: what is asked for, for people.
    static func read(_ question: String) throws -> String {
        guard isatty(STDIN_FILENO) == 1 else { return try readLine(question) }
        // Before the question: what is typed behind it is taken.
        let terminal = QuietTerminal()
        StandardError.write("\(question): ")
        let line = Result { try readLine(question, on: terminal) }
        terminal.restore()
        // The line break was not shown either.
        StandardError.write("\n")
        return try line.get()
    }

    private static func readLine(_ question: String, on terminal: QuietTerminal? = nil) throws -> String {
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while true {
            guard terminal?.awaitInput() ?? true else {
                throw CommandFailure("\(question): interrupted, nothing was changed")
            }
            let count = Glibc.read(STDIN_FILENO, &byte, 1)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                guard !line.isEmpty else { throw CommandFailure("\(question): nothing was given on standard input") }
                break
            }
            if byte == UInt8(ascii: "\n") { break }
            line.append(byte)
            guard line.count <= bytes else { throw CommandFailure("\(question): that is too long") }
        }
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        return String(decoding: line, as: UTF8.self)
    }
}

/// The terminal of standard input, which shows nothing of what is typed until it is restored: also when somebody
/// interrupts the program meanwhile.
private struct QuietTerminal {
    private static let interruptions = [SIGINT, SIGTERM, SIGHUP]

    private var former = termios()
    private var isQuiet = false
    /// The signals that were held back before.
    private var formerMask = sigset_t()
    private var formerActions: [sigaction] = []

    init() {
        var mask = sigset_t()
        sigemptyset(&mask)
        for signal in Self.interruptions { sigaddset(&mask, signal) }
        // Held back but while input is awaited: one that comes before is not lost.
        pthread_sigmask(SIG_BLOCK, &mask, &formerMask)
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in }
        formerActions = Self.interruptions.map { signal in
            var former = sigaction()
            sigaction(signal, &action, &former)
            return former
        }
        guard tcgetattr(STDIN_FILENO, &former) == 0 else { return }
        var settings = former
        settings.c_lflag &= ~tcflag_t(ECHO)
        isQuiet = tcsetattr(STDIN_FILENO, TCSAFLUSH, &settings) == 0
    }

    /// Waits for input; false when somebody interrupts.
    func awaitInput() -> Bool {
        var files = fd_set()
        // That of standard input, whose number is 0.
        files.__fds_bits.0 = 1
        var mask = formerMask
        return pselect(STDIN_FILENO + 1, &files, nil, nil, nil, &mask) > 0
    }

    func restore() {
        var (former, mask) = (former, formerMask)
        if isQuiet { tcsetattr(STDIN_FILENO, TCSADRAIN, &former) }
        for (signal, var action) in zip(Self.interruptions, formerActions) { sigaction(signal, &action, nil) }
        pthread_sigmask(SIG_SETMASK, &mask, nil)
    }
}
