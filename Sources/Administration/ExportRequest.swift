import FlagCore
import FlagFiles
import FlagStore
import JSON

/// What an export is asked for, as it travels to whoever does it. The response's payload is the file.
package struct ExportRequest: Sendable, Equatable {
    package static let command = "export"

    /// What the file looks like.
    package var format: ImportDocument.Format
    /// Whose flags; nil for the default environment of the store's profile.
    package var environment: Environment?

    /// A request.
    package init(format: ImportDocument.Format, environment: Environment?) {
        self.format = format
        self.environment = environment
    }
}
