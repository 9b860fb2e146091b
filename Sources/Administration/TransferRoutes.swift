import Access
import DynamoModel
import FlagCore
import FlagFiles
import FlagStore
import HTTPRouting
import HTTPTransport

/// Files of flags in and out: what `flag-server import --server` and `export --server` call.
enum TransferRoutes {
    /// The routes.
    static let routes = [
        AdministrationRoute(
            .post, "/api/import", "importFlags",
            .changing("transfer", .administer).inLongWork.with {
                $0.audit = .work
                $0.content = .upload(bytes: FlagTransfer.uploadBytes, time: FlagTransfer.uploadTime)
            }, importFlags),
        AdministrationRoute(
            .get, "/api/export", "exportFlags",
            // What it answers is the file, and nothing else.
            .reading("transfer").inLongWork.with {
                $0.tellsProgress = false
                $0.audit = .watched
            }, exportFlags),
    ]

    private static func importFlags(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        try request.requireAnyTenant()
        let work = ImportRequest(
            file: request.body, environment: try request.namedEnvironment(),
            mode: try request.choice("mode", among: ImportPlan.Mode.allCases) ?? .merge,
            isDryRun: try request.isDryRun, keepsInvalid: try request.flag("keepInvalid"))
        let transfer = FlagTransfer(
            flags: administration.repository, defaultEnvironment: administration.defaultEnvironment)
        let report = try run(in: work.environment ?? administration.defaultEnvironment) {
            try administration.work.run(work.title, for: request.workClient) { progress in
                try transfer.run(work, progress) { environment throws(Problem) in
                    try request.scope(in: environment, administration)
                } admit: { plan, scope throws(Problem) in
                    try administration.admit(plan, in: scope, asked: request)
                }
            }
        }
        return .respond(.json(report.json))
    }

    private static func exportFlags(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        try request.requireAnyTenant()
        let format = try request.choice("format", among: ImportDocument.Format.allCases) ?? .native
        let stored = try request.stored(administration)
        let file = try run(in: stored.environment) { try FlagTransfer.export(format, of: stored) }
        let leftOut = file.fieldValue(isWhole: request.isOfThisMachine).map { [(ExportedFile.fieldName, $0)] } ?? []
        return .respond(.json(file.bytes, fields: leftOut))
    }

    /// Does the work of a route; what goes wrong becomes a problem.
    private static func run<Result>(in environment: Environment, _ work: () throws -> Result) throws(Problem) -> Result
    {
        do { return try work() } catch let error as DefinitionIssues {
            throw .invalidFile(error.issues)
        } catch let error as FlagStoreError {
            throw Problem(error, in: environment)
        } catch let error as Problem {
            throw error
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
}

extension Problem {
    /// A file that cannot be imported: everything that is wrong with it, however much it is.
    fileprivate static func invalidFile(_ issues: [DefinitionIssue]) -> Problem {
        var problem = Problem(.invalidBody, "\(FlagTransfer.summary(of: issues)); errors has it all")
        problem.fields = issues.map { Field(pointer: $0.pointer, detail: $0.message) }
        return problem
    }
}
