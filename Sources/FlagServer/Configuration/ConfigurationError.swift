/// Everything that is wrong with a configuration, all at once, so that nobody repairs it one start at a time.
struct ConfigurationError: Error, Equatable, CustomStringConvertible {
    /// One line for each mistake: where it stands, what stands there, and what is allowed.
    var issues: [String]

    var description: String {
        "the configuration is wrong:\n" + issues.map { "  " + $0 }.joined(separator: "\n")
    }
}
