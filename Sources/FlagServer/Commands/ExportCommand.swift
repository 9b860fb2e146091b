import Administration
import ArgumentParser
import FlagCore
import FlagFiles
import FlagStore
import Glibc
import HTTPTransport

/// `flag-server export`
struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: ExportRequest.command,
        abstract: "Export the flags of an environment to a file.",
        discussion: """
            The native format holds segments, flags, tenant overrides and kill switches, and importing it again \
            changes nothing. flagd's format holds flags only, with what segments stand for in the place of their \
            names; what it has no words for (business hours, flags that others require, long lists of keys) is told \
            on standard error. Works beside a running server, without one, and with --server through one on another \
            machine.

            Exit status: 0 exported; 1 failed, and why; 64 the command line is wrong; 78 the configuration is wrong.
            """)

    @Option(help: ArgumentHelp("What the file looks like.", valueName: "native|flagd"))
    var format = ImportDocument.Format.native

    @Option(help: ArgumentHelp("The file to write. (default: standard output)", valueName: "file"))
    var output: String?

    @OptionGroup var place: EnvironmentOptions
    @OptionGroup var door: DoorOptions

    func run() throws {
        try CommandEnd.reporting {
            let request = RouteRequest(
                .get, "/api/export", query: [("format", format.rawValue), ("environment", place.chosen()?.rawValue)])
            let response = try door.answer(request, of: ExportRequest.command, needing: .flags)
            ExportedFile.lines(inField: response.field(ExportedFile.fieldName)).forEach(StandardError.tell)
            if let output, output != "-" {
                try FileBytes.replace(output, with: response.content)
            } else {
                try FileBytes.write(response.content, to: STDOUT_FILENO, path: "standard output")
            }
        }
    }
}

extension ImportDocument.Format: ExpressibleByArgument {}
