import Access
import DynamoModel
import FlagCore
import FlagFiles
import FlagStore

/// Imports and exports flags: the same code for routes, commands and sample flags. Blocks.
package struct FlagTransfer: Sendable {
    /// Where the flags are.
    package let flags: FlagRepository
    /// The environment of a request, and a file, that names none.
    package let defaultEnvironment: Environment

    /// How many changes a dry run lists before it only counts them.
    package static let dryRunLines = 10_000
    /// Bytes of a file that is sent to a server over HTTP.
    package static let uploadBytes = 64 << 20
    /// How long such a file may be under way.
    package static let uploadTime = Duration.seconds(300)
    /// How long whoever asks waits for the work to be done.
    package static let workTime = Duration.seconds(600)

    /// Work on flags.
    package init(flags: FlagRepository, defaultEnvironment: Environment) {
        self.flags = flags
        self.defaultEnvironment = defaultEnvironment
    }

    /// Imports a file.
    ///
    /// - Parameters:
    ///   - progress: tells how far it is, and may stop it.
    ///   - scope: gives the leave to change the environment that it comes to.
    ///   - admit: refuses what must not be done for now, or gives the leave to do it.
    /// - Throws: `DefinitionIssues` with everything that is wrong with the file, and then nothing was stored; or
    ///   `FlagStoreError`.
    package func run(
        _ request: ImportRequest, _ progress: WorkProgress = WorkProgress(),
        in scope: (Environment) throws -> WriteScope,
        admit: (ImportPlan, WriteScope) throws -> WriteScope = { $1 }
    ) throws -> ImportReport {
        let document = try ImportDocument(parsing: request.file, keepInvalid: request.keepsInvalid)
        try progress.check()
        let environment = request.environment ?? document.environment ?? defaultEnvironment
        let scope = try scope(environment)
        let plan: ImportPlan
        do throws(FlagStoreError) {
            plan = try ImportPlan(
                document, mode: request.mode, over: flags.reader(for: scope.reading), now: scope.instant, progress)
        } catch {
            if case .invalid(let issues) = error { throw DefinitionIssues(issues: issues) }
            throw error
        }
        if !request.isDryRun { try plan.apply(to: flags, in: try admit(plan, scope), progress) }
        // What changed one by one is what a dry run is for.
        let lines = request.isDryRun ? plan.lines(limit: Self.dryRunLines) : plan.summaries
        return ImportReport(
            environment: plan.environment.rawValue, isDryRun: request.isDryRun,
            lines: lines, kept: (document.kept + plan.kept).map(Self.line))
    }

    /// Exports an environment.
    ///
    /// - Throws: `FlagStoreError`.
    package static func export(_ format: ImportDocument.Format, of stored: FlagReader) throws -> ExportedFile {
        let (bytes, warnings) = try Export(format, of: stored).file()
        return ExportedFile(bytes: bytes, leftOut: warnings)
    }

    /// What is wrong with a file, in words.
    package static func list(_ issues: [DefinitionIssue]) -> String {
        "\(summary(of: issues)):\n" + issues.map { "  " + line($0) }.joined(separator: "\n")
    }

    /// That something is wrong with a file.
    package static func summary(of issues: [DefinitionIssue]) -> String {
        "nothing was imported, since \(issues.count == 1 ? "something is" : "\(issues.count) things are") wrong"
    }

    private static func line(_ issue: DefinitionIssue) -> String {
        "\(issue.pointer.isEmpty ? "the file" : issue.pointer) \(issue.message)"
    }
}
