import Administration
import ArgumentParser
import HTTPRouting
import HTTPTransport
import JSON

/// `flag-server at-rest`
struct AtRestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "at-rest",
        abstract: "See how what is stored is encrypted, or encrypt it anew with another data key.",
        discussion: """
            What is stored is encrypted where at-rest.key names the file of a key. That key encrypts data keys, and \
            those the items. Works beside a running server, which goes on meanwhile, and without one.
            """,
        subcommands: [Rotate.self, Status.self])

    /// `flag-server at-rest rotate`
    struct Rotate: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rotate",
            abstract: "Take another data key, and encrypt everything that is stored anew.",
            discussion: """
                Also how the operator's key is exchanged: put the new one into the file of at-rest.key and the old one \
                into that of at-rest.former-key, and call this; the former key can be put away when it has ended. \
                What is written meanwhile is encrypted by the new data key at once. Broken off (the server stopped, \
                or was killed), it goes on by itself at the next start, or when this is called again. Backups and \
                logs of before stay as they are, and are still read: flag-server keeps their data keys.

                Exit status: 0 everything is encrypted by the new data key; 1 it is not, and why.
                """)

        @OptionGroup var place: PlaceOptions

        func run() throws {
            let request = RouteRequest(.post, "/api/at-rest/rotate").inLongWork
            try place.print(request, of: "at-rest rotate") { result in
                let unread = result["unreadable"]?.numberValue?.int64 ?? 0
                let rest = unread == 0 ? "" : "\n\(unread) could not be read and are as they were: flag-server verify"
                let what = result["rotated"]?.boolValue == true ? "another data key" : "went on where it was"
                return "\(what); \(result["done"]?.numberValue?.int64 ?? 0) items and changes encrypted anew\(rest)\n"
                    + AtRestCommand.text(result)
            }
        }
    }

    /// `flag-server at-rest status`
    struct Status: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "status",
            abstract: "Say by which keys what is stored is encrypted, and how much is still to be.")

        @OptionGroup var place: PlaceOptions

        func run() throws {
            try place.print(RouteRequest(.get, "/api/at-rest"), of: "at-rest status", AtRestCommand.text)
        }
    }

    /// The state for people.
    private static func text(_ state: JSONValue) -> String {
        guard let key = state["key"]?.stringValue else { return "off: nothing is encrypted" }
        let count = state["dataKeys"]?.numberValue?.int64 ?? 0
        let dataKey = state["dataKey"]?.stringValue
        var lines = [
            dataKey.map { "on  key \(key)  data key \($0)  of \(count)" }
                ?? "off  key \(key) is kept for backups and logs of before"
        ]
        if let left = state["left"]?.numberValue?.int64, left > 0 {
            let isUnderWay = state["underWay"]?.boolValue == true
            lines.append(
                "  \(left) items and changes are still to be encrypted anew: "
                    + (isUnderWay ? "under way" : "it goes on at the next start, or with at-rest rotate"))
        }
        if state["plainRemnants"]?.boolValue == true {
            lines.append(
                "  parts of flags.db that are not in use may hold what was not encrypted: "
                    + "the file is rewritten when that is over, a large one at the next start")
        }
        return lines.joined(separator: "\n")
    }
}
