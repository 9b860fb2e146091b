/// Writes the text format that Prometheus scrapes
/// (https://prometheus.io/docs/instrumenting/exposition_formats/, version 0.0.4).
package struct MetricsText {
    /// What a metric is.
    package enum Kind: String {
        case counter
        case gauge
        case histogram
    }

    /// The content type of the text.
    package static let contentType: StaticString = "text/plain; version=0.0.4; charset=utf-8"

    /// A text without a family.
    package init() {}

    /// The text so far, UTF-8.
    package private(set) var bytes: [UInt8] = []
    private var family = ""

    /// Begins a family of samples.
    package mutating func family(_ name: String, _ kind: Kind, _ meaning: String) {
        family = name
        write("# HELP \(name) \(meaning)\n# TYPE \(name) \(kind.rawValue)\n")
    }

    /// One sample of the family begun last.
    package mutating func sample(_ value: UInt64, _ labels: KeyValuePairs<String, String> = [:]) {
        line("\(value)", labels)
    }

    /// One sample with a fraction, such as seconds.
    package mutating func sample(fraction value: Double, _ labels: KeyValuePairs<String, String> = [:]) {
        line("\(value)", labels)
    }

    private mutating func line(_ value: String, _ labels: KeyValuePairs<String, String>) {
        line(value, labels.map { ($0.key, $0.value) })
    }

    /// One sample of the family begun last, or of what its name and a suffix make.
    mutating func line(_ value: String, _ labels: [(name: String, value: String)], suffix: String = "") {
        write(family + suffix)
        if !labels.isEmpty {
            let pairs = labels.map { "\($0.name)=\"\(MetricsText.escaped($0.value))\"" }
            write("{" + pairs.joined(separator: ",") + "}")
        }
        write(" \(value)\n")
    }

    private mutating func write(_ text: String) {
        bytes.append(contentsOf: text.utf8)
    }

    /// A label's value: backslash, quote and line feed are escaped.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
