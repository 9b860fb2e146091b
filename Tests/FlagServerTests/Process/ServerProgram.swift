import Foundation
import Platform

/// The built program as a process of its own, serving on a port that the system chose. It is ended with the value.
///
/// Not for tests of what it answers, which are faster without a process: for those of how it is put together.
final class ServerProgram {
    let port: Int
    private let process = Process()
    private let log: FileHandle
    private var unread = Data()
    /// Every line of the log that was read.
    private(set) var lines: [String] = []

    /// Starts `flag-server serve` and waits until it is ready.
    ///
    /// - Parameters:
    ///   - settings: what is set, by the names of the settings.
    ///   - directory: where its data directory is.
    ///   - host: where it listens.
    init(_ settings: [String: String] = [:], in directory: String, host: String = "127.0.0.1") throws {
        let pipe = Pipe()
        log = pipe.fileHandleForReading
        process.executableURL = try Self.executable()
        process.arguments = ["serve", "--host", host, "--port", "0", "--data-dir", directory + "/data"]
        process.currentDirectoryURL = URL(filePath: directory)
        var environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("FLAG_SERVER_") }
        for (name, value) in settings {
            environment["FLAG_SERVER_" + name.uppercased().replacing(".", with: "_").replacing("-", with: "_")] = value
        }
        environment["NOTIFY_SOCKET"] = nil
        process.environment = environment
        process.standardError = pipe
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        // The only other end of the pipe is the process's: its end is seen.
        try pipe.fileHandleForWriting.close()
        var port: Int?
        while port == nil {
            guard let line = ServerProgram.nextLine(&unread, log) else {
                throw TestFailure("the server did not start: \(lines.joined(separator: "\n"))")
            }
            lines.append(line)
            if line.contains("NOTICE   ready ") || line.contains(#""message":"ready""#) {
                port = line.firstMatch(of: /127\.0\.0\.1:(\d+)/).flatMap { Int($0.1) }
            }
        }
        self.port = port ?? 0
    }

    /// The program, beside the one that has the tests.
    private static func executable() throws -> URL {
        let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(filePath: tests).deletingLastPathComponent().appending(path: "flag-server")
    }

    /// Runs another command of the program to its end.
    ///
    /// - Returns: its exit status.
    static func run(_ arguments: [String]) throws -> Int32 {
        let command = Process()
        command.executableURL = try executable()
        command.arguments = arguments
        command.standardOutput = FileHandle.nullDevice
        command.standardError = FileHandle.nullDevice
        try command.run()
        command.waitUntilExit()
        return command.terminationStatus
    }

    deinit { stop() }

    /// Has it stop, and waits until it has.
    func stop() {
        guard process.isRunning else { return }
        process.terminate()
        process.waitUntilExit()
    }

    /// Reads on in the log up to a line with a text. Waits for it; nil when the process ends without.
    func line(with text: String) -> String? {
        while let line = ServerProgram.nextLine(&unread, log) {
            lines.append(line)
            if line.contains(text) { return line }
        }
        return nil
    }

    private static func nextLine(_ unread: inout Data, _ log: FileHandle) -> String? {
        while true {
            if let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
                defer { unread.removeSubrange(unread.startIndex...end) }
                return String(decoding: unread[unread.startIndex..<end], as: UTF8.self)
            }
            let more = log.availableData
            if more.isEmpty { return nil }
            unread += more
        }
    }

    /// A connection of its own.
    func connect() throws -> TestConnection { try TestConnection(port: port) }

    /// Sends one request on a connection of its own.
    @discardableResult
    func send(
        _ method: String, _ path: String, _ body: String? = nil, _ fields: [(String, String)] = []
    ) throws -> TestResponse {
        try connect().send(method, path, body, fields)
    }
}
