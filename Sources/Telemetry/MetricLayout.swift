/// Where the counters of a program lie in its blocks: each family of metrics is given a range of its own as it is
/// declared, and writes itself. So no array of names and no list of places can come to disagree.
package struct MetricLayout: Sendable {
    /// How many counters the blocks have.
    package private(set) var count = 0

    /// A layout without families.
    package init() {}

    /// A range of counters for a family.
    ///
    /// - Returns: the first of it.
    mutating func take(_ count: Int) -> Int {
        defer { self.count += count }
        return self.count
    }
}

/// A label of a metric, with all values that it can have.
package struct MetricLabel: Sendable {
    /// The label's name.
    package let name: String
    /// Its values, each with a place: its number.
    package let values: [String]

    /// A label with the values that it can have.
    package init(_ name: String, _ values: [String]) {
        self.name = name
        self.values = values
    }
}

/// Counters that share a name, one for each combination of the labels' values.
package struct CounterFamily: Sendable {
    private let name: String
    private let kind: MetricsText.Kind
    private let meaning: String
    private let labels: [MetricLabel]
    private let isSparse: Bool
    private let shown: Set<String>
    /// The first of its counters.
    package let first: Int

    /// Takes a range of the layout.
    ///
    /// - Parameters:
    ///   - labels: at most two; the last one's values lie side by side.
    ///   - kind: a gauge where what is counted elsewhere is published.
    ///   - isSparse: whether counters that never counted are left out.
    ///   - shown: values of the second label whose counters are shown all the same, where another of the same value of
    ///     the first has counted: what a rule looks for has to be there before it happens.
    package init(
        _ name: String, _ meaning: String, _ labels: [MetricLabel] = [], kind: MetricsText.Kind = .counter,
        isSparse: Bool = false, showing shown: Set<String> = [], in layout: inout MetricLayout
    ) {
        precondition(labels.count <= 2, "a family has at most two labels")
        self.name = name
        self.kind = kind
        self.meaning = meaning
        self.labels = labels
        self.isSparse = isSparse
        self.shown = shown
        first = layout.take(labels.reduce(1) { $0 * $1.values.count })
    }

    /// The counter of the values with these numbers, in the labels' order.
    package func place(_ one: Int, _ other: Int = 0) -> Int {
        labels.count == 2 ? first + one * labels[1].values.count + other : first + one
    }

    /// Writes the family with the values of its counters.
    package func write(_ value: (Int) -> UInt64, to text: inout MetricsText) {
        text.family(name, kind, meaning)
        let rows = labels.first?.values ?? [""]
        let columns = labels.count == 2 ? labels[1].values : [""]
        for (row, rowValue) in rows.enumerated() {
            let isUsed = isSparse && !shown.isEmpty && columns.indices.contains { value(place(row, $0)) > 0 }
            for (column, columnValue) in columns.enumerated() {
                let value = value(place(row, column))
                if isSparse, value == 0, !(isUsed && shown.contains(columnValue)) { continue }
                let pairs = zip(labels.map(\.name), [rowValue, columnValue]).map { (name: $0, value: $1) }
                text.line("\(value)", pairs)
            }
        }
    }
}
