import ArgumentParser

/// A length of time as an option: seconds, with a fraction or not, up to an hour.
struct Seconds: ExpressibleByArgument {
    /// What was said.
    let duration: Duration

    init(_ duration: Duration) {
        self.duration = duration
    }

    init?(argument: String) {
        guard let seconds = Double(argument), (0...3600).contains(seconds) else { return nil }
        duration = .seconds(seconds)
    }

    var defaultValueDescription: String { "\(duration / .seconds(1))" }
}
