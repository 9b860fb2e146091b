import FlagCache
import JSON
import Platform
import Testing

@testable import Evaluation
@testable import FlagServer

@Suite("Steps of an answer that takes several slices")
struct SlicedStepsTests {
    @Test("They are those of one request, however many slices it takes")
    func steps() throws {
        let readings = Locked<UInt64>(0)
        let slow = try RouteServer { settings in
            settings.evaluation.workClock = {
                readings.withLock { readings in
                    readings += 1
                    return readings * 2 * WorkSlice.nanoseconds
                }
            }
        }
        let fast = try RouteServer()
        let heavy = #"{"if":[{"some":[{"var":"list"},{"==":[{"var":""},-1]}]},"on","off"]}"#
        let light = #"{"if":[{"==":[{"var":"plan"},"pro"]},"on","off"]}"#
        for server in [slow, fast] {
            // As many as are evaluated in a slice take all steps that a request has.
            for number in 0..<70 {
                let rule = number < 64 ? heavy : light
                try server.create(
                    "f\(number + 10)",
                    #""variants":{"on":true,"off":false},"defaultVariant":"off","targeting":\#(rule)"#)
            }
        }
        let list = Array(repeating: "1", count: 12_000).joined(separator: ",")
        let context = #"{"plan":"pro","list":[\#(list)]}"#
        let expected = try fast.bulk(context)
        #expect(expected.status == 200)
        let last = expected.json["flags"]?.arrayValue?.last
        #expect(last?["key"] == "f79" && last?["errorCode"] != nil)
        #expect(try slow.bulk(context).body == expected.body)
    }
}
