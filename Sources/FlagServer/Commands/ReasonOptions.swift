import Administration
import ArgumentParser

/// Why something is changed, for the audit log.
struct ReasonOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Why, for the audit log.", valueName: "text"))
    var reason: String?
}

extension RouteRequest {
    /// The same, with why it is sent.
    func because(_ why: ReasonOptions) -> RouteRequest {
        var request = self
        request.reason = why.reason
        return request
    }
}
