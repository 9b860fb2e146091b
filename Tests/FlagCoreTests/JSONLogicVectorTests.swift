import JSON
import Testing

@testable import FlagCore

@Suite("The public JSONLogic tests")
struct JSONLogicVectorTests {
    @Test("every official and every proposed test gives its result")
    func tests() throws {
        guard let file = try VectorFiles.read("jsonlogic_tests.json") else { return }
        for list in ["tests", "extra"] {
            var passed = 0
            for test in (file[list]?.arrayValue ?? []).compactMap(\.arrayValue) where test.count == 3 {
                let result = RuleRun.result(of: test[0], data: test[1])
                let isExpected = result?.isNumericallyEqual(to: test[2]) ?? false
                #expect(isExpected, "\(test[0]) on \(test[1]) gave \(result ?? "a failure"), expected \(test[2])")
                passed += isExpected ? 1 : 0
            }
            print("jsonlogic_tests.json, \(list): \(passed) as expected")
        }
    }
}
