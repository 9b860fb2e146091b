/// A directory that systemd has made for the service and names in its environment (systemd.exec(5)).
enum ServiceDirectory: String {
    /// What the service keeps.
    case state = "STATE_DIRECTORY"
    /// What it has as long as it runs: sockets.
    case runtime = "RUNTIME_DIRECTORY"

    /// The directory; nil where systemd made none. Of several, which stand with colons between, the first is ours.
    func path(in environment: [String: String]) -> String? {
        environment[rawValue]?.split(separator: ":").first.map(String.init)
    }
}
