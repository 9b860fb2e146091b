extension ServerConfiguration {
    /// What the server runs with, as text, by the names of its members: `port`, `throttle.administration`. For telling
    /// what is another than before, where nothing of it is shown.
    var texts: [String: String] {
        var texts: [String: String] = [:]
        Self.add(self, as: "", to: &texts)
        // What is read, and what is said of it, is no setting.
        texts["file"] = nil
        texts["notices"] = nil
        return texts
    }

    private static func add(_ value: Any, as name: String, to texts: inout [String: String]) {
        let mirror = Mirror(reflecting: value)
        guard mirror.displayStyle == .struct, !mirror.children.isEmpty, name.count(where: { $0 == "." }) < 2 else {
            texts[name] = "\(value)"
            return
        }
        for case (let label?, let member) in mirror.children {
            add(member, as: name.isEmpty ? label : "\(name).\(label)", to: &texts)
        }
    }
}
