/// Histograms of durations that share a name, one for each value of a label.
///
/// The buckets are the same for all and powers of two apart, from 32 microseconds on: which one a duration is in takes
/// one instruction, and noting it raises two counters.
package struct HistogramFamily: Sendable {
    /// The durations up to which buckets go, as exponents of two, in microseconds: 32 µs to 33.6 s.
    private static let exponents = 5...25

    private let name: String
    private let meaning: String
    private let label: MetricLabel
    private let first: Int

    /// Takes a range of the layout.
    package init(_ name: String, _ meaning: String, _ label: MetricLabel, in layout: inout MetricLayout) {
        self.name = name
        self.meaning = meaning
        self.label = label
        first = layout.take(label.values.count * HistogramFamily.width)
    }

    /// The buckets, one for what is longer than all, and the sum.
    private static let width = exponents.count + 2

    /// The counter of the bucket that a duration falls into.
    ///
    /// - Parameters:
    ///   - row: the number of the label's value.
    ///   - microseconds: the duration; below zero it counts as nothing.
    package func bucket(_ row: Int, _ microseconds: Int64) -> Int {
        let shortest = HistogramFamily.exponents.lowerBound
        // The least power of two that is not less: buckets include their bound.
        let bits = microseconds <= 1 ? 0 : Int64.bitWidth - (microseconds - 1).leadingZeroBitCount
        let place = min(max(0, bits - shortest), HistogramFamily.exponents.count)
        return first + row * HistogramFamily.width + place
    }

    /// The counter of the sum, in microseconds.
    package func sum(_ row: Int) -> Int { first + row * HistogramFamily.width + HistogramFamily.width - 1 }

    /// Notes a duration in a block that the calling thread owns.
    package func note(_ row: Int, _ microseconds: Int64, in block: CounterBlock) {
        block.raise(bucket(row, microseconds))
        block.raise(sum(row), by: UInt64(max(0, microseconds)))
    }

    /// Notes a duration in a block that several threads share.
    package func noteShared(_ row: Int, _ microseconds: Int64, in block: CounterBlock) {
        block.raiseShared(bucket(row, microseconds))
        block.raiseShared(sum(row), by: UInt64(max(0, microseconds)))
    }

    /// Writes the histograms that have noted something: seconds, as Prometheus wants them.
    package func write(_ value: (Int) -> UInt64, to text: inout MetricsText) {
        text.family(name, .histogram, meaning)
        for (row, labelValue) in label.values.enumerated() {
            let begin = first + row * HistogramFamily.width
            let counts = (0...HistogramFamily.exponents.count).map { value(begin + $0) }
            guard counts.contains(where: { $0 > 0 }) else { continue }
            let labels = [(name: label.name, value: labelValue)]
            var sum: UInt64 = 0
            for (place, exponent) in HistogramFamily.exponents.enumerated() {
                sum += counts[place]
                let bound = Double(UInt64(1) << UInt64(exponent)) / 1_000_000
                text.line("\(sum)", labels + [("le", "\(bound)")], suffix: "_bucket")
            }
            sum += counts[HistogramFamily.exponents.count]
            text.line("\(sum)", labels + [("le", "+Inf")], suffix: "_bucket")
            text.line("\(Double(value(self.sum(row))) / 1_000_000)", labels, suffix: "_sum")
            text.line("\(sum)", labels, suffix: "_count")
        }
    }
}
