import Access
import HTTPRouting
import HTTPTransport
import JSON
import TestSupport
import Testing

@testable import Administration
@testable import FlagServer

/// A command reaches the routes over a socket, or in its own process where no server runs. Whoever wrote a script for
/// the one must not find another product behind the other.
@Suite("The same routes with a socket and without")
struct RouteDoorsTests {
    /// One request of the story.
    struct Request: Sendable, CustomTestStringConvertible {
        let method: HTTPMethod
        let path: String
        let query: [(name: String, value: String?)]
        let body: String?

        init(
            _ method: HTTPMethod, _ path: String, _ query: [(name: String, value: String?)] = [], _ body: String? = nil
        ) {
            self.method = method
            self.path = path
            self.query = query
            self.body = body
        }

        var testDescription: String { "\(method.name) \(path)" }
    }

    /// A flag, a segment, an override and a kill switch from their creation to their end, with what goes wrong between:
    /// what is unknown, what is not valid, what is there already, what is in the way.
    private static let story = [
        Request(.get, "/api/flags"), Request(.post, "/api/flags", [], flag), Request(.post, "/api/flags", [], flag),
        Request(.post, "/api/flags", [], #"{"flagKey":"x"}"#), Request(.post, "/api/flags", [], "{"),
        Request(.post, "/api/flags", [], nil), Request(.get, "/api/flags/m"), Request(.get, "/api/flags/none"),
        Request(.get, "/api/flags", [("limit", "1")]), Request(.get, "/api/flags", [("no", "1")]),
        Request(.get, "/api/flags", [("environment", "nowhere")]),
        Request(.patch, "/api/flags/m", [("dryRun", "true")], #"{"description":"B"}"#),
        Request(.patch, "/api/flags/m", [], #"{"description":"B"}"#),
        Request(.patch, "/api/flags/m", [], #"{"nonsense":1}"#),
        Request(.put, "/api/flags/by-key/m", [], flag), Request(.post, "/api/segments", [], segment),
        Request(.get, "/api/segments/s"), Request(.post, "/api/segments/s/keys", [], #"{"add":["a","b"]}"#),
        Request(.get, "/api/segments/s/keys"), Request(.delete, "/api/segments/none"),
        Request(.put, "/api/tenants/acme/flags/m", [], #"{"enabled":true,"updatedBy":"x"}"#),
        Request(.put, "/api/tenants/acme/flags/none", [], #"{"enabled":true,"updatedBy":"x"}"#),
        Request(.get, "/api/tenants/acme/flags"),
        Request(.post, "/api/emergency/kill-switch", [], #"{"flagKey":"m","reason":"x","activatedBy":"x"}"#),
        Request(.get, "/api/emergency/kill-switch"),
        Request(.delete, "/api/flags/m"),
        Request(.delete, "/api/emergency/kill-switch", [], #"{"flagKey":"m","reason":"x","deactivatedBy":"x"}"#),
        Request(.delete, "/api/emergency/kill-switch", [], #"{"flagKey":"m","reason":"x"}"#),
        Request(.get, "/api/export"), Request(.post, "/api/import", [("dryRun", "true")], #"{"flags":[\#(flag)]}"#),
        Request(.post, "/api/import", [], #"{"flags":[{"flagKey":"y"}]}"#),
        Request(.delete, "/api/tenants/acme/flags/m"),
        Request(.delete, "/api/segments/s"), Request(.delete, "/api/flags/m"), Request(.delete, "/api/flags/m"),
        Request(.get, "/api/keys"), Request(.get, "/api/keys/none"), Request(.get, "/api/backups"),
        Request(.get, "/api/backups/none"), Request(.post, "/api/restore", [], #"{"backup":"none"}"#),
        Request(.get, "/api/work"), Request(.delete, "/api/work/none"), Request(.get, "/api/whoami"),
    ]

    private static let flag = #"{"flagKey":"m","description":"A","owner":"o","defaultEnabled":true}"#
    private static let segment =
        #"{"name":"s","description":"A","owner":"o","condition":{"==":[{"var":"plan"},"pro"]}}"#

    @Test("Every request of a story has the same response, whichever way it comes")
    func story() throws {
        let (behindSocket, inProcess) = (try RouteServer(), try RouteServer())
        let routes = LocalRoutes(
            inProcess.composition.administration, describedBy: inProcess.composition.document)
        for request in Self.story {
            let asked = RouteRequest(
                request.method, request.path, query: request.query, body: request.body.map { Array($0.utf8) })
            let target = request.path + (asked.encodedQuery.map { "?" + $0 } ?? "")
            let over = try behindSocket.send(request.method.name, target, request.body)
            let within = routes.answer(asked, of: .anonymous)
            #expect(Int(within.status.code) == over.status, "\(request.testDescription): \(over.body)")
            #expect(
                Self.comparable(String(decoding: within.body, as: UTF8.self)) == Self.comparable(over.body),
                "\(request.testDescription)")
            for (name, value) in within.fields {
                #expect(over.fields[name.lowercased()] == value, "\(request.testDescription): \(name)")
            }
        }
    }

    /// A response's content without what names the request alone.
    private static func comparable(_ body: String) -> JSONValue {
        guard case .object(var object)? = try? JSONValue(parsing: body) else { return .string(body) }
        object["requestId"] = nil
        return .object(object)
    }
}
