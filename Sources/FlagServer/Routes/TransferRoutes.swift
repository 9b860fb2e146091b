import DynamoModel
import FlagCore
import FlagFiles
import FlagStore
import HTTPTransport

/// Files of flags in and out: what `flag-server import --server` and `export --server` call.
enum TransferRoutes {
    /// The routes.
    static let routes = [
        Route(
            .post, "/api/import", in: .transfer,
            Operation(
                id: "importFlags",
                summary: "Imports a file in flagd's format or the native one, or shows what it would.",
                detail: "What is wrong is all listed, and nothing is imported then. Importing a file twice changes "
                    + "nothing more. Answered when all of it is durable and in force on every event loop. It stops "
                    + "when the client closes the connection, or ends its side of it.",
                query: [
                    .init(
                        name: "environment",
                        meaning: "Where to; by default the environment that the file names, else that of the profile.",
                        schema: ##"{"$ref":"#/components/schemas/EnvironmentName"}"##),
                    .init(
                        name: "mode",
                        meaning:
                            "create-only leaves flags alone that exist; merge changes what the file names; replace "
                            + "also removes what it does not name.",
                        schema: #"{"type":"string","enum":["create-only","merge","replace"],"default":"merge"}"#),
                    .init(
                        name: "dryRun", meaning: "Whether nothing is stored, and every change is listed.",
                        schema: #"{"type":"boolean","default":false}"#),
                    .init(
                        name: "keepInvalid",
                        meaning: "Whether flags that do not validate are stored; evaluating them answers PARSE_ERROR.",
                        schema: #"{"type":"boolean","default":false}"#),
                ],
                body: .init(schema: "FlagFile", example: example, uploadBytes: FlagTransfer.uploadBytes),
                answers: [.init(status: 200, meaning: "What was done, or would be.", schema: "ImportReport")],
                problems: [.conflict, .flagRequired, .workStopped]),
            .onWorker(importFlags)),
        Route(
            .get, "/api/export", in: .transfer,
            Operation(
                id: "exportFlags", summary: "Exports the flags of an environment as a file.",
                detail: "Importing the native format again changes nothing.",
                query: [
                    .environment,
                    .init(
                        name: "format",
                        meaning:
                            "native holds segments, flags, tenant overrides and kill switches; flagd holds flags only.",
                        schema: #"{"type":"string","enum":["native","flagd"],"default":"native"}"#),
                ],
                answers: [
                    .init(
                        status: 200, meaning: "The file.", schema: "FlagFile",
                        header: [
                            .init(
                                name: ExportedFile.fieldName,
                                meaning: "What the format has no words for: a JSON array of lines, percent-encoded.")
                        ])
                ]),
            .onWorker(exportFlags)),
    ]

    private static let example =
        #"{"flags":{"banner":{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"off"}}}"#

    private static func importFlags(
        _ request: AdministrationRequest, _ service: FlagService, _ reply: Reply
    ) throws(Problem) {
        let work = ImportRequest(
            file: request.body, environment: try request.namedEnvironment(),
            mode: try request.choice("mode", among: ImportPlan.Mode.allCases) ?? .merge,
            isDryRun: try request.flag("dryRun"), keepsInvalid: try request.flag("keepInvalid"))
        let client = WorkClient(name: request.clientName(service)) { !reply.isAwaited }
        let report = try run(service, work.environment) { transfer in
            try service.work.run(work.title, for: client) { progress in
                try transfer.run(work, by: service.principal, progress)
            }
        }
        reply(.json(report.json))
    }

    private static func exportFlags(
        _ request: AdministrationRequest, _ service: FlagService, _ reply: Reply
    ) throws(Problem) {
        let work = ExportRequest(
            format: try request.choice("format", among: ImportDocument.Format.allCases) ?? .native,
            environment: try request.namedEnvironment())
        let file = try run(service, work.environment) { transfer in try transfer.run(work) }
        let leftOut = file.fieldValue.map { [(ExportedFile.fieldName, $0)] } ?? []
        reply(.json(file.bytes, fields: leftOut))
    }

    private static func run<Result>(
        _ service: FlagService, _ environment: Environment?, _ work: (FlagTransfer) throws -> Result
    ) throws(Problem) -> Result {
        let environment = environment ?? service.settings.defaultEnvironment
        do {
            return try work(
                FlagTransfer(flags: service.repository, defaultEnvironment: service.settings.defaultEnvironment))
        } catch let error as DefinitionIssues {
            throw .invalidFile(error.issues)
        } catch let error as FlagStoreError {
            throw Problem(error, in: environment)
        } catch {
            throw Problem(.internalError, "\(error)")
        }
    }
}

extension AdministrationRequest {
    /// A word in the query, nil when it is not there.
    fileprivate func choice<Choice: RawRepresentable<String>>(
        _ name: String, among choices: [Choice]
    ) throws(Problem) -> Choice? {
        guard let text = query[name] else { return nil }
        guard let choice = choices.first(where: { $0.rawValue == text }) else {
            let names = choices.map(\.rawValue).joined(separator: ", ")
            throw .invalidQuery([.init(pointer: "?\(name)", detail: "must be one of \(names), not \"\(text)\"")])
        }
        return choice
    }

    /// `true` or `false` in the query; false when it is not there.
    fileprivate func flag(_ name: String) throws(Problem) -> Bool {
        switch query[name] {
        case nil, "false"?: return false
        case "true"?: return true
        case let text?:
            throw .invalidQuery([.init(pointer: "?\(name)", detail: "must be true or false, not \"\(text)\"")])
        }
    }
}

extension Problem {
    /// A file that cannot be imported: everything that is wrong with it, however much it is.
    fileprivate static func invalidFile(_ issues: [DefinitionIssue]) -> Problem {
        var problem = Problem(.invalidBody, "\(FlagTransfer.summary(of: issues)); errors has it all")
        problem.fields = issues.map { Field(pointer: $0.pointer, detail: $0.message) }
        return problem
    }
}
