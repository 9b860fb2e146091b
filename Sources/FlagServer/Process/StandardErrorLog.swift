import Bytes
import FlagCore
import FlagStore
import FoundationEssentials
import Glibc
import JSON
import Logging
import Platform

/// Writes log lines to standard error, whole ones, so that lines of several threads never mix.
struct StandardErrorLog: LogHandler {
    /// How a line looks.
    var format: ServerConfiguration.Log.Format
    /// Who speaks, `flag-server`.
    var label: String
    var metadata: Logger.Metadata = [:]

    /// Whether what is written goes to systemd's journal, which reads the importance of a line from its first bytes.
    var isForJournal = false
    /// Where lines go; nil for nowhere.
    var output: LogOutput?

    /// That of the process: exchanged while it runs, for all loggers at once.
    var logLevel: Logger.Level {
        get { LogLevels.shared.level(of: label) }
        set {}
    }

    /// Makes every logger of the process write this way from now on; to be called once, before the first is made.
    ///
    /// - Returns: where lines go.
    static func install(_ log: ServerConfiguration.Log) -> StandardErrorLog {
        LogLevels.shared.replace(log.level, log.moduleLevels)
        var handler = StandardErrorLog(format: log.format, label: LogLevels.label(of: nil))
        handler.isForJournal = isJournal(ProcessInfo.processInfo.environment["JOURNAL_STREAM"])
        let output = LogOutput(STDERR_FILENO) { [handler] dropped in
            handler.bytes(
                level: .warning, "lines of the log were dropped: who reads it did not keep up",
                metadata: ["lines": .stringConvertible(dropped)])
        }
        output.start()
        handler.output = output
        LoggingSystem.bootstrap { [handler] label in
            var own = handler
            own.label = label
            return own
        }
        return handler
    }

    /// Whether standard error is the stream that systemd connected with the journal: `JOURNAL_STREAM` names its device
    /// and inode (systemd.exec(5)).
    static func isJournal(_ stream: String?, descriptor: Int32 = STDERR_FILENO) -> Bool {
        var status = stat()
        guard let stream, fstat(descriptor, &status) == 0 else { return false }
        return stream == "\(status.st_dev):\(status.st_ino)"
    }

    /// What a line in the journal begins with: its priority, as sd-daemon(3) has it.
    static func prefix(of level: Logger.Level) -> String {
        switch level {
        case .critical: "<2>"
        case .error: "<3>"
        case .warning: "<4>"
        case .notice: "<5>"
        case .info: "<6>"
        case .debug, .trace: "<7>"
        }
    }

    /// Waits a moment until what was said is written: the process ends.
    func flush() { output?.flush(within: .seconds(2)) }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var all = metadata
        if let own = event.metadata { all.merge(own) { _, new in new } }
        if let error = event.error { all["error"] = "\(error)" }
        output?.write(bytes(level: event.level, event.message.description, metadata: all))
    }

    /// A line with its end, and with what the journal wants before it.
    func bytes(level: Logger.Level, _ message: String, metadata: Logger.Metadata) -> [UInt8] {
        var text = isForJournal ? Array(Self.prefix(of: level).utf8) : []
        text += line(at: Timestamp.systemClock, level: level, message: message, metadata: metadata)
        text.append(UInt8(ascii: "\n"))
        return text
    }

    /// One line without its end.
    func line(at time: Timestamp, level: Logger.Level, message: String, metadata: Logger.Metadata) -> [UInt8] {
        let members = metadata.sorted { $0.key < $1.key }
        switch format {
        case .text:
            let fields = members.map { " \($0.key)=\(Self.quoted("\($0.value)"))" }.joined()
            let name = level.rawValue.uppercased()
            let padding = String(repeating: " ", count: max(0, 8 - name.count))
            return Array("\(time.rfc3339) \(name)\(padding) \(Self.escaped(message))\(fields)".utf8)
        case .json:
            var object: JSONObject = [
                "time": .string(time.rfc3339), "level": .string(level.rawValue), "message": .string(message),
            ]
            for (key, value) in members where object[key] == nil { object[key] = Self.json(value) }
            return Array(JSONValue.object(object).serialized().utf8)
        }
    }

    private static func json(_ value: Logger.Metadata.Value) -> JSONValue {
        switch value {
        case .string(let text): .string(text)
        case .stringConvertible(let value as Int): .number(JSONNumber(Int64(value)))
        case .stringConvertible(let value): .string(value.description)
        case .array(let elements): .array(elements.map(json))
        case .dictionary(let members):
            .object(members.sorted { $0.key < $1.key }.reduce(into: [:]) { $0[$1.key] = json($1.value) })
        }
    }

    /// A value as it stands after `key=`: in quotes when it would run into what follows.
    private static func quoted(_ text: String) -> String {
        let plain = !text.isEmpty && text.unicodeScalars.allSatisfy { $0 != " " && $0 != "\"" && $0 != "=" }
        return plain ? escaped(text) : "\"" + escaped(text.replacing("\"", with: "\\\"")) + "\""
    }

    /// The text on one line: nobody can forge a log line with a line break in a flag's name.
    private static func escaped(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: \.altersLine) else { return text }
        return text.unicodeScalars.reduce(into: "") { result, scalar in
            switch scalar {
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.altersLine:
                result += "\\u{\(String(scalar.value, radix: 16))}"
            default: result.unicodeScalars.append(scalar)
            }
        }
    }
}
