import FlagCore
import FlagFiles
import FlagStore
import JSON

/// What an import is asked to do, as it travels to whoever does it.
package struct ImportRequest: Sendable, Equatable {
    package static let command = "import"

    /// The file's contents.
    package var file: [UInt8]
    /// The environment to import into; nil for the file's own, else the default one of the store's profile.
    package var environment: Environment?
    /// What happens to flags that are there already.
    package var mode: ImportPlan.Mode
    /// Whether nothing is to be stored.
    package var isDryRun: Bool
    /// Whether flags that do not validate are stored all the same.
    package var keepsInvalid: Bool

    /// What it is called while it is under way.
    package var title: String {
        let target = environment.map { " into \($0.rawValue)" } ?? ""
        return "import\(target)\(isDryRun ? ", a dry run" : "")"
    }

    /// A request.
    package init(file: [UInt8], environment: Environment?, mode: ImportPlan.Mode, isDryRun: Bool, keepsInvalid: Bool) {
        self.file = file
        self.environment = environment
        self.mode = mode
        self.isDryRun = isDryRun
        self.keepsInvalid = keepsInvalid
    }
}

/// What an import did, or would do.
package struct ImportReport: Sendable, Equatable {
    /// Where it went.
    package var environment: String
    /// Whether nothing was stored.
    package var isDryRun: Bool
    /// One line for each thing that changes, and the counts.
    package var lines: [String]
    /// What is wrong with flags that were stored all the same, by pointers into the file.
    package var kept: [String]

    /// A report.
    package init(environment: String, isDryRun: Bool, lines: [String], kept: [String]) {
        self.environment = environment
        self.isDryRun = isDryRun
        self.lines = lines
        self.kept = kept
    }

    /// The report as it travels.
    package var json: JSONValue {
        [
            "environment": .string(environment), "dryRun": .bool(isDryRun),
            "lines": .array(lines.map { .string($0) }), "kept": .array(kept.map { .string($0) }),
        ]
    }

    /// The report for people.
    package var text: String {
        var text: [String] = []
        if !kept.isEmpty {
            text.append(
                "Not valid, \(isDryRun ? "would be" : "but") stored all the same; evaluating them answers PARSE_ERROR:")
            text += kept.map { "  " + $0 }
        }
        text.append(isDryRun ? "Would change in \(environment), nothing was stored:" : "Imported into \(environment):")
        text += lines.map { "  " + $0 }
        return text.joined(separator: "\n")
    }
}
