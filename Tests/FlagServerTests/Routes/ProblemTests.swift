import JSON
import Testing

@testable import FlagServer
@testable import HTTPRouting

@Suite("Problems")
struct ProblemTests {
    @Test("A problem is RFC 9457 JSON with a stable code and every field")
    func body() throws {
        let problem = Problem.invalidBody([
            .init(pointer: "/a~1b", detail: "is \"odd\""), .init(pointer: "/c", detail: "is required"),
        ])
        #expect(
            String(decoding: problem.body(requestID: nil), as: UTF8.self) == """
                {"type":"urn:flag-server:problem:invalid_body",\
                "title":"The body does not describe what this route expects","status":400,\
                "detail":"/a~1b: is \\"odd\\" (and 1 more in errors)","code":"invalid_body",\
                "errors":[{"pointer":"/a~1b","detail":"is \\"odd\\""},{"pointer":"/c","detail":"is required"}]}
                """)
    }

    @Test("What is wrong with a body as a whole is said of the body")
    func wholeBody() {
        let problem = Problem.invalidBody([.init(pointer: "", detail: "must be an object")])
        #expect(problem.detail == "the body must be an object")
    }

    @Test("A body in which everything is wrong gets the first of it, not an answer many times its size")
    func bounded() throws {
        let server = try RouteServer()
        let body = "{" + (0..<5_000).map { #""\#($0)":1"# }.joined(separator: ",") + "}"
        for (method, path) in [
            ("POST", "/api/evaluate"), ("POST", "/api/evaluate/batch"), ("POST", "/api/flags"),
            ("POST", "/api/emergency/kill-switch"), ("DELETE", "/api/emergency/kill-switch"),
            ("POST", "/api/emergency/kill-switch/deactivate"),
        ] {
            let answer = try server.send(method, path, body)
            #expect(answer.status == 400)
            #expect(answer.pointers.count == 100)
            #expect(
                answer.json["detail"]?.stringValue?.hasSuffix(" (errors has the first 100 of what is wrong)") == true)
        }
    }

    @Test(
        "What the transport refuses keeps its status",
        arguments: [400, 404, 405, 408, 413, 414, 415, 417, 431, 500, 501, 503, 505])
    func transportStatus(status: Int) {
        #expect(ProblemCode(transportStatus: status).status == status)
    }
}
