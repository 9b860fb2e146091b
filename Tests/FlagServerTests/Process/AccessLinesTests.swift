import FlagCore
import HTTPTransport
import JSON
import TestSupport
import Testing

@testable import FlagServer

@Suite("Access log")
struct AccessLinesTests {
    @Test(
        "Which responses are told of is written in few words",
        arguments: [
            ("off", .off), ("errors", .errors), ("all", .all), ("1/100", .sample(of: 100)), ("1/1", nil), ("1/0", nil),
            ("2/100", nil), ("1/", nil), ("some", nil), ("", nil),
        ] as [(String, AccessLog.Scope?)])
    func scope(text: String, scope: AccessLog.Scope?) {
        #expect(Settings.logAccess.parse(text) == scope)
    }
}
