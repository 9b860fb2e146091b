/// Writes the text that Prometheus scrapes: its own format
/// (https://prometheus.io/docs/instrumenting/exposition_formats/, version 0.0.4), or OpenMetrics 1.0
/// (https://prometheus.io/docs/specs/om/open_metrics_spec/).
package struct MetricsText {
    /// How it is written.
    package enum Format: Sendable {
        case prometheus, openMetrics
    }

    /// What a metric is.
    package enum Kind: String {
        case counter
        case gauge
        case histogram
    }

    private let format: Format

    /// The content type of the text.
    package var contentType: String {
        switch format {
        case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
        case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
        }
    }

    /// A text without a family.
    package init(_ format: Format = .prometheus) { self.format = format }

    /// Ends the text: nothing is written behind that.
    package mutating func end() { if format == .openMetrics { write("# EOF\n") } }

    /// The text so far, UTF-8.
    package private(set) var bytes: [UInt8] = []
    private var family = ""

    /// Begins a family of samples.
    package mutating func family(_ name: String, _ kind: Kind, _ meaning: String) {
        family = name
        // There, what counts is told without what its samples end with.
        let isShort = format == .openMetrics && kind == .counter && name.hasSuffix("_total")
        let told = isShort ? String(name.dropLast(6)) : name
        write("# HELP \(told) \(meaning)\n# TYPE \(told) \(kind.rawValue)\n")
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
