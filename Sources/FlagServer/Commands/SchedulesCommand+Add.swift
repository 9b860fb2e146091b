import Administration
import ArgumentParser
import ChangeControl
import FlagCore
import FlagStore
import HTTPRouting
import HTTPTransport
import JSON

extension SchedulesCommand {
    /// `flag-server schedules add`
    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add",
            abstract: "Schedule a change.",
            discussion: """
                What is to be done is an operation (patchFlag, setOverride, setKillSwitch …), the flag or segment \
                where the operation is about one that is there, and the body that its route would be sent; or the \
                three of them as a JSON object in a file: {"operation": "patchFlag", "name": "chat", "body": {…}}. It \
                is checked at once, and again when its time comes.
                """)

        @Option(help: ArgumentHelp("When: RFC 3339, at most two years ahead.", valueName: "time"))
        var at: String

        @Argument(help: ArgumentHelp("What is to be done.", valueName: "operation"))
        var kind: FlagOperation.Kind?

        @Argument(help: ArgumentHelp("The flag or segment, and the body as JSON.", valueName: "name|body"))
        var words: [String] = []

        @Option(help: ArgumentHelp("The tenant of an override.", valueName: "tenant"))
        var tenant: String?

        @Option(
            name: .customLong("operation"),
            help: ArgumentHelp("The file with what is to be done; - is standard input.", valueName: "file"))
        var file: String?

        @Option(help: ArgumentHelp("Why.", valueName: "text"))
        var reason: String?

        @Option(
            help: ArgumentHelp(
                "What becomes of it if its flag or segment is changed until then.", valueName: "refuse|force"))
        var onConflict = Schedule.ConflictRule.refuse

        @OptionGroup var environment: EnvironmentOptions
        @OptionGroup var place: PlaceOptions

        /// Bytes that an operation may have.
        private static let operationBytes = 1 << 20

        func validate() throws {
            guard (kind == nil) != (file == nil) else {
                throw ValidationError("Say what is to be done: an operation, or --operation FILE.")
            }
            guard let kind else {
                guard tenant == nil else { throw ValidationError("--tenant has no meaning beside --operation.") }
                return
            }
            let count = (kind.nameRule == nil ? 0 : 1) + (kind.takesBody ? 1 : 0)
            guard words.count == count else {
                let expected = [kind.nameRule == nil ? nil : "a name", kind.takesBody ? "a body as JSON" : nil]
                throw ValidationError(
                    "Behind \(kind.rawValue) stands \(expected.compactMap { $0 }.joined(separator: ", then ")).")
            }
        }

        func run() throws {
            try CommandEnd.reporting {
                var body: JSONObject = [
                    "at": .string(at), "onConflict": .string(onConflict.rawValue), "operation": try operation(),
                ]
                body["reason"] = reason.map { .string($0) }
                let request = RouteRequest(
                    .post, "/api/schedules", query: [("environment", environment.chosen()?.rawValue)],
                    body: JSONValue.object(body).serializedBytes())
                try place.print(request, of: "schedules add", needing: .flags) { schedule in
                    if let warning = schedule["warning"]?.stringValue { StandardError.tell(warning) }
                    return SchedulesCommand.line(schedule)
                }
            }
        }

        /// What is to be done.
        private func operation() throws -> JSONValue {
            if let file {
                let bytes = try FileBytes.read(file, atMost: Self.operationBytes)
                do throws(JSONError) { return try JSONValue(parsing: bytes) } catch {
                    throw CommandFailure("\(file): the file is not JSON: \(error)")
                }
            }
            guard let kind else { return .null }
            var operation: JSONObject = ["operation": .string(kind.rawValue)]
            if kind.nameRule != nil { operation["name"] = words.first.map { .string($0) } }
            operation["tenantId"] = tenant.map { .string($0) }
            if kind.takesBody, let text = words.last {
                do throws(JSONError) { operation["body"] = try JSONValue(parsing: text) } catch {
                    throw CommandFailure("the body is not JSON: \(error)")
                }
            }
            return .object(operation)
        }
    }
}

extension FlagOperation.Kind: ExpressibleByArgument {}
