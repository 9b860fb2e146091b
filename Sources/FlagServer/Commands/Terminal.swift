import Glibc

/// The terminal that a command was started from, whatever its input and output are.
final class Terminal {
    private let descriptor: Int32

    /// Opens it.
    ///
    /// - Throws: `CommandFailure` where there is none.
    init() throws {
        descriptor = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)
        guard descriptor >= 0 else {
            throw CommandFailure(
                "there is no terminal to ask for name and password on: give --name and --password-file, or use a key "
                    + "(--key-file, FLAG_SERVER_KEY)")
        }
    }

    deinit { close(descriptor) }

    /// Asks for a line.
    ///
    /// - Parameter isShown: whether what is typed is seen.
    func ask(_ question: String, showing isShown: Bool = true) throws -> String {
        try FileBytes.write(Array(question.utf8), to: descriptor, path: "the terminal")
        var before = termios()
        let isKnown = tcgetattr(descriptor, &before) == 0
        if !isShown {
            guard isKnown else { throw CommandFailure("the terminal cannot be kept from showing what is typed") }
            var hidden = before
            hidden.c_lflag &= ~tcflag_t(ECHO)
            guard tcsetattr(descriptor, TCSAFLUSH, &hidden) == 0 else {
                throw CommandFailure("the terminal cannot be kept from showing what is typed")
            }
        }
        defer {
            if !isShown {
                tcsetattr(descriptor, TCSAFLUSH, &before)
                try? FileBytes.write([UInt8(ascii: "\n")], to: descriptor, path: "the terminal")
            }
        }
        return try line()
    }

    private func line() throws -> String {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while true {
            let count = read(descriptor, &byte, 1)
            if count < 0, errno == EINTR { continue }
            guard count == 1, bytes.count < 4096 else { throw CommandFailure("nothing was typed") }
            if byte == UInt8(ascii: "\n") { return String(decoding: bytes, as: UTF8.self) }
            bytes.append(byte)
        }
    }
}
