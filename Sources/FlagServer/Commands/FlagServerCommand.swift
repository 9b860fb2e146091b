import ArgumentParser
import DynamoModel
import Glibc
import HTTPTransport
import Platform

/// The program: what stands behind `flag-server` on a command line.
@main
struct FlagServerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flag-server",
        abstract: "Answers which features are on, for which tenant and user, and with which value.",
        discussion: """
            `flag-server` alone is `flag-server serve`. With no option at all it serves on http://127.0.0.1:3001, \
            keeps its data in data/local, and asks nobody for a key.

            Exit status: 0 done; 1 failed, with the reason and what to do on standard error; 64 the command line is \
            wrong; 78 the configuration is wrong.
            """,
        version: version,
        subcommands: [
            ServeCommand.self, ConfigCommand.self, DynamoDBCommand.self, ImportCommand.self, ExportCommand.self,
            BackupCommand.self, RestoreCommand.self, VerifyCommand.self, AtRestCommand.self, WorkCommand.self,
            KeysCommand.self, AccessKeysCommand.self, UsersCommand.self, AccountCommand.self, LoginCommand.self,
            LogoutCommand.self, AuditCommand.self,
            HistoryCommand.self, RollbackCommand.self, ArchiveCommand.self, UnarchiveCommand.self,
            UndeleteCommand.self, PromoteCommand.self,
            SchedulesCommand.self, ProposalsCommand.self, FreezesCommand.self,
        ],
        defaultSubcommand: ServeCommand.self)

    /// The program's version.
    static let version = "0.1.0"

    /// Does what the process was started for.
    static func main() {
        // Dispatch wants its own timer thread to go before others, which only root may have, and complains of that to
        // the journal at each start. Nothing else that it logs is of use to an operator.
        setenv("LIBDISPATCH_LOG", "NO", 0)
        do {
            var command = try parseAsRoot(ProcessArguments.required(by: "flag-server"))
            try command.run()
        } catch {
            let message = UsageText.wrapped(fullMessage(for: error))
            let status = exitCode(for: error)
            if !message.isEmpty {
                let place = status.isSuccess ? STDOUT_FILENO : STDERR_FILENO
                // Whoever closed it does not want to know.
                try? FileBytes.write(Array("\(message)\n".utf8), to: place, path: "the terminal")
            }
            exit(withError: status)
        }
    }
}

/// The library's messages, for terminals: it wraps all lines but the one that says how a command is called.
enum UsageText {
    private static let columns = 80

    /// The message with its line `USAGE: …` in as many lines as it takes; an option stays in one line with its value.
    static func wrapped(_ message: String) -> String {
        message.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            guard line.uppercased().hasPrefix("USAGE: "), line.count > columns else { return String(line) }
            var lines = [""]
            for piece in pieces(of: line) {
                if lines[lines.count - 1].isEmpty {
                    lines[lines.count - 1] = piece
                } else if lines[lines.count - 1].count + 1 + piece.count <= columns {
                    lines[lines.count - 1] += " " + piece
                } else {
                    lines.append(String(repeating: " ", count: "USAGE: ".count) + piece)
                }
            }
            return lines.joined(separator: "\n")
        }.joined(separator: "\n")
    }

    /// The words of a line, those in brackets together.
    private static func pieces(of line: Substring) -> [String] {
        var pieces: [String] = []
        var depth = 0
        for word in line.split(separator: " ") {
            if depth > 0 { pieces[pieces.count - 1] += " " + word } else { pieces.append(String(word)) }
            depth += word.count { $0 == "[" } - word.count { $0 == "]" }
        }
        return pieces
    }
}

/// How a command ends when it does not end well.
enum CommandEnd {
    /// It failed, and trying again may help.
    static let failed = ExitCode(1)
    /// The configuration is wrong (EX_CONFIG of sysexits.h), and trying again does not help.
    static let configuration = ExitCode(78)

    /// Runs a command's work; an error is told on standard error and becomes the exit status.
    static func reporting(_ work: () throws -> Void) throws {
        do {
            try work()
        } catch let error as ExitCode {
            throw error
        } catch let error as ConfigurationError {
            StandardError.tell("\(error)")
            throw configuration
        } catch let error as TransportError where error.isOfConfiguration {
            StandardError.tell("\(error)")
            throw configuration
        } catch let error as TableError where error.isOfKeys {
            StandardError.tell("\(error)")
            throw configuration
        } catch {
            StandardError.tell("\(error)")
            throw failed
        }
    }
}

extension TableError {
    /// Whether what is stored is encrypted by another key than the configuration names.
    fileprivate var isOfKeys: Bool {
        if case .storage(let failure) = self { failure.kind == .encrypted } else { false }
    }
}

extension TransportError {
    /// Whether the same start fails again until somebody changes a setting or the file that one names.
    fileprivate var isOfConfiguration: Bool {
        switch self {
        case .certificate, .invalidConfiguration: true
        case .addressInUse, .permissionDenied, .addressNotAvailable, .system: false
        }
    }
}
