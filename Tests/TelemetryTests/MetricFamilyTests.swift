import Testing

@testable import Telemetry

@Suite("Families of metrics")
struct MetricFamilyTests {
    private static func text(_ write: (inout MetricsText) -> Void) -> [String] {
        var text = MetricsText()
        write(&text)
        return String(decoding: text.bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    @Test("Families have places of their own, whatever their labels are")
    func places() {
        var layout = MetricLayout()
        let plain = CounterFamily("a", "A.", in: &layout)
        let pair = CounterFamily(
            "b", "B.", [MetricLabel("x", ["1", "2", "3"]), MetricLabel("y", ["p", "q"])], in: &layout)
        let histogram = HistogramFamily("c_seconds", "C.", MetricLabel("z", ["u", "v"]), in: &layout)
        let last = CounterFamily("d", "D.", [MetricLabel("w", ["1", "2"])], in: &layout)
        var places = [plain.first, last.place(0), last.place(1)]
        for row in 0..<3 { for column in 0..<2 { places.append(pair.place(row, column)) } }
        for row in 0..<2 {
            places += Set((0..<40).map { histogram.bucket(row, Int64(1) << Int64($0)) }).sorted() + [histogram.sum(row)]
        }
        #expect(Set(places).count == places.count)
        #expect(places.max() == layout.count - 1)
    }

    @Test("A family writes each combination with its own value; a sparse one leaves out what never counted")
    func counters() {
        var layout = MetricLayout()
        let labels = [MetricLabel("x", ["1", "2"]), MetricLabel("y", ["p", "q"])]
        let full = CounterFamily("b", "B.", labels, in: &layout)
        let sparse = CounterFamily("s", "S.", labels, kind: .gauge, isSparse: true, in: &layout)
        let block = CounterBlock(count: layout.count)
        block.raise(full.place(1, 0), by: 7)
        block.raise(sparse.place(0, 1), by: 3)
        #expect(
            Self.text { full.write({ block[$0] }, to: &$0) } == [
                "# HELP b B.", "# TYPE b counter", #"b{x="1",y="p"} 0"#, #"b{x="1",y="q"} 0"#, #"b{x="2",y="p"} 7"#,
                #"b{x="2",y="q"} 0"#,
            ])
        #expect(
            Self.text { sparse.write({ block[$0] }, to: &$0) } == [
                "# HELP s S.", "# TYPE s gauge", #"s{x="1",y="q"} 3"#,
            ])
    }

    @Test(
        "A duration is in the first bucket whose bound it does not pass",
        arguments: [
            (-5, 0), (0, 0), (1, 0), (32, 0), (33, 1), (64, 1), (65, 2), (33_554_432, 20), (33_554_433, 21),
            (Int64.max, 21),
        ] as [(Int64, Int)])
    func buckets(microseconds: Int64, place: Int) {
        var layout = MetricLayout()
        let histogram = HistogramFamily("c_seconds", "C.", MetricLabel("z", ["u", "v"]), in: &layout)
        #expect(histogram.bucket(0, microseconds) == place)
        #expect(histogram.bucket(1, microseconds) == histogram.bucket(1, 0) + place)
    }

    @Test("A histogram adds its buckets up, in seconds, and leaves out labels that noted nothing")
    func histogram() {
        var layout = MetricLayout()
        let histogram = HistogramFamily("c_seconds", "C.", MetricLabel("z", ["u", "v"]), in: &layout)
        let block = CounterBlock(count: layout.count)
        for microseconds in [10, 40, 50, 40_000_000] as [Int64] { histogram.note(1, microseconds, in: block) }
        histogram.noteShared(1, -1, in: block)
        let lines = Self.text { histogram.write({ block[$0] }, to: &$0) }
        #expect(lines[1] == "# TYPE c_seconds histogram")
        #expect(lines[2] == #"c_seconds_bucket{z="v",le="3.2e-05"} 2"#)
        #expect(lines[3] == #"c_seconds_bucket{z="v",le="6.4e-05"} 4"#)
        #expect(lines.contains(#"c_seconds_bucket{z="v",le="33.554432"} 4"#))
        #expect(
            lines.suffix(3) == [
                #"c_seconds_bucket{z="v",le="+Inf"} 5"#, #"c_seconds_sum{z="v"} 40.0001"#, #"c_seconds_count{z="v"} 5"#,
            ])
        #expect(!lines.contains { $0.contains(#"z="u""#) })
    }
}
